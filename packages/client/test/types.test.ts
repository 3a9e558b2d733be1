/** Types are inferred from the description; what this file marks as an error must be one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Certified, Cluster, SentCall } from '@onus/client/cluster'
import type { QueryReport } from '@onus/client/reports'
import type { notes } from './notes.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

function checkTypes(cluster: Cluster<typeof notes>): void {
  const added: Promise<number> = cluster.call.add('x')
  const sent: SentCall<number> = cluster.send.add('x')
  const certified: Promise<Certified<number>> = sent.until('certified')
  const listed: Promise<{ readonly value: { id: number; text: string }[]; readonly report: QueryReport }> =
    cluster.query.list(0, 10)
  const nothing: Promise<undefined> = cluster.call.fail()
  const same: Equal<keyof (typeof cluster)['call'], 'add' | 'fail'> = true
  const queries: Equal<keyof (typeof cluster)['query'], 'list' | 'boom'> = true
  // @ts-expect-error a text is expected
  cluster.call.add(7)
  // @ts-expect-error an argument is missing
  cluster.call.add()
  // @ts-expect-error there is no such entry
  cluster.call.remove(1)
  // @ts-expect-error a query is no call
  cluster.call.list(0, 10)
  // @ts-expect-error a call is no query
  cluster.query.add('x')
  // @ts-expect-error only rungs that exist
  sent.until('final')
  // @ts-expect-error a handle has no value of its own
  cluster.send.add('x').value
  // @ts-expect-error the result is a number
  const wrong: Promise<string> = cluster.call.add('x')
  // @ts-expect-error methods cannot be replaced
  cluster.call.add = () => added
  // @ts-expect-error verification has no switch
  cluster.at({ verify: false })
  void [added, certified, listed, nothing, same, queries, wrong]
}

test('types are checked by the compiler', () => {
  assert.equal(typeof checkTypes, 'function')
})
