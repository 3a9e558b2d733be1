import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeOutput, decodeResult, encodeCall, encodeOutput, encodeResult } from '@onus/protocol/interface/call'
import type { Interface } from '@onus/protocol/interface/description'
import type {
  CallArguments,
  CallResult,
  Client,
  EmittedEvent,
  EntryName,
  Input,
  Value,
} from '@onus/protocol/interface/types'

const notes = {
  version: 1,
  types: {
    Note: {
      record: [
        ['id', 'u32'],
        ['text', 'string'],
        ['due', { option: 'u64' }],
      ],
    },
    Status: { enum: ['open', 'done'] },
    Shape: {
      variant: [
        ['circle', 'f64'],
        ['none', null],
      ],
    },
    Rights: { flags: ['read', 'write'] },
    Tree: { record: [['children', { list: 'Tree' }]] },
  },
  entries: [
    { name: 'add', kind: 'entry', params: [['text', 'string']], result: 'u32' },
    {
      name: 'save',
      kind: 'entry',
      params: [
        ['note', 'Note'],
        ['tags', { option: { list: 'string' } }],
      ],
      result: null,
    },
    {
      name: 'list',
      kind: 'query',
      params: [
        ['from', 'u32'],
        ['max', 'u32'],
      ],
      result: { list: 'Note' },
    },
    { name: 'totals', kind: 'query', params: [], result: { map: ['string', 'u64'] } },
    {
      name: 'pay',
      kind: 'entry',
      params: [
        ['to', 'address'],
        ['amount', 'u256'],
        ['rights', 'Rights'],
      ],
      result: { result: ['i128', null] },
      limits: [],
      gas: 5,
    },
  ],
  events: [
    {
      name: 'paid',
      fields: [
        ['to', 'address'],
        ['amount', 'u256'],
      ],
    },
    { name: 'closed', fields: [] },
  ],
} as const

type Notes = typeof notes
/** True only if `A` and `B` are the same type. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(equal: Same<A, B>): void => void equal

test('types are inferred from the description', () => {
  const description: Interface = notes
  assert.equal(description.entries.length, 5)
  same<Value<Notes, 'Rights'>, { read: boolean; write: boolean }>(true)
  same<CallResult<Notes, 'pay'>, { tag: 'ok'; value: bigint } | { tag: 'err' }>(true)
  same<CallArguments<Notes, 'pay'>[0], `0x${string}`>(true)
  same<CallArguments<Notes, 'pay'>[1], bigint>(true)
  same<EmittedEvent<Notes>['name'], 'paid' | 'closed'>(true)
  same<Extract<EmittedEvent<Notes>, { name: 'paid' }>['value'], { to: `0x${string}`; amount: bigint }>(true)
  same<EmittedEvent<Interface>, { readonly name: string; readonly value: Record<string, unknown> }>(true)
  same<Value<Notes, 'Note'>, { id: number; text: string; due: bigint | null }>(true)
  same<Value<Notes, 'Status'>, 'open' | 'done'>(true)
  same<Value<Notes, 'Shape'>, { tag: 'circle'; value: number } | { tag: 'none' }>(true)
  same<Value<Notes, { list: { option: 'bytes' } }>, (Uint8Array | null)[]>(true)
  same<Value<Notes, 'Tree'>['children'][number]['children'], Value<Notes, 'Tree'>[]>(true)
  same<EntryName<Notes, 'query'>, 'list' | 'totals'>(true)
  same<CallResult<Notes, 'save'>, undefined>(true)
  same<CallResult<Notes, 'list'>, { id: number; text: string; due: bigint | null }[]>(true)
  same<CallResult<Notes, 'totals'>, Map<string, bigint>>(true)
  same<CallArguments<Notes, 'totals'>, []>(true)
  same<CallArguments<Interface, string>, readonly unknown[]>(true)
  const input: Input<Notes, 'Note'> = { id: 1, text: 'a' }
  assert.equal(input.due, undefined)
})

test('calls are checked by the compiler and at run time alike', () => {
  assert.equal(encodeCall(notes, 'add', ['hello']).length, 4 + 4 + 5)
  assert.equal(encodeCall(notes, 'save', [{ id: 1, text: '' }]).length, 4 + 4 + 4 + 1 + 1)
  assert.equal(encodeCall(notes, 'save', [{ id: 1, text: '', due: 5n }, ['x']]).length, 4 + 4 + 4 + 9 + 1 + 4 + 5)
  // @ts-expect-error text is a string
  assert.throws(() => encodeCall(notes, 'add', [7]), { code: 'argument-type' })
  // @ts-expect-error text is missing
  assert.throws(() => encodeCall(notes, 'add', []), { code: 'argument-type' })
  // @ts-expect-error one argument too many
  assert.throws(() => encodeCall(notes, 'add', ['a', 'b']), { code: 'argument-count' })
  // @ts-expect-error due is a bigint
  assert.throws(() => encodeCall(notes, 'save', [{ id: 1, text: '', due: 5 }]), { code: 'argument-type' })
  // @ts-expect-error no such entry
  assert.throws(() => encodeCall(notes, 'burn', []), { code: 'argument-entry' })
  assert.equal(encodeCall(notes, 'pay', [`0x${'ab'.repeat(20)}`, 5n, { read: true }]).length, 4 + 20 + 32 + 1)
  // @ts-expect-error no such flag
  assert.throws(() => encodeCall(notes, 'pay', [`0x${'ab'.repeat(20)}`, 5n, { reed: true }]), { code: 'argument-type' })
  const output = encodeOutput(notes, 'pay', { tag: 'ok', value: -5n }, [
    { name: 'paid', value: { to: `0x${'ab'.repeat(20)}`, amount: 5n } },
    { name: 'closed', value: {} },
  ])
  const { value, events } = decodeOutput(notes, 'pay', output)
  assert.equal(value.tag === 'ok' ? value.value : 0n, -5n)
  const [event] = events
  assert.equal(event?.name === 'paid' ? event.value.amount : 0n, 5n)
  const bytes = encodeResult(notes, 'list', [{ id: 1, text: 'a', due: null }])
  const [first] = decodeResult(notes, 'list', bytes)
  assert.equal(first?.text.toUpperCase(), 'A')
})

test('a client has methods with positional arguments', async () => {
  const client: Client<Notes, { height: number }> = {
    call: { add: async (text) => text.length, save: async () => undefined, pay: async () => ({ tag: 'err' }) },
    query: {
      list: async (from, max) => ({ value: [{ id: from, text: String(max), due: null }], report: { height: 1 } }),
      totals: async () => ({ value: new Map([['a', 1n]]), report: { height: 1 } }),
    },
  }
  const id: number = await client.call.add('hello')
  const { value, report } = await client.query.list(0, 10)
  assert.deepEqual([id, value[0]?.text, report.height], [5, '10', 1])
  // @ts-expect-error a query is not a call
  assert.equal(client.call.list, undefined)
  // @ts-expect-error count of arguments
  await client.query.list(0)
})
