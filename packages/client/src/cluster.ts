/**
 * A connected cluster: the typed methods of its interface over calls and queries, evidence, health, and the end of its
 * lifetime. Methods are made from the description once; nothing is generated.
 */
import { OnusError } from '@onus/protocol/errors'
import { decodeOutput, decodeResult, encodeCall } from '@onus/protocol/interface/call'
import type { EntryKind, Interface } from '@onus/protocol/interface/description'
import { selectorTable } from '@onus/protocol/interface/selector'
import type { CallArguments, CallResult, Client, EntryName } from '@onus/protocol/interface/types'
import { receiptStatus } from '@onus/protocol/receipt'
import { type Accepted, acceptedBy } from './acceptance.js'
import type { CallQueue } from './callQueue.js'
import { CallError } from './clientErrors.js'
import type { Evidence } from './evidence.js'
import type { ExportedSession } from './exportedSession.js'
import type { Network } from './network.js'
import type { PendingCall } from './pendingCall.js'
import { type QueryOptions, runQuery } from './query.js'
import { type CallReport, callReport, type DeliveredReceipt, type QueryReport } from './reports.js'
import { exportedSession } from './session.js'
import { type WatchMethods, type WatchOptions, watchEvents } from './watch.js'

/** How far a call has got; later versions add what comes after the certificate. */
export type Rung = 'accepted' | 'certified'

/** An event of a call, certified with its receipt. */
export interface CallEvent {
  readonly name: string
  /** The fields of the event by name. */
  readonly value: Readonly<Record<string, unknown>>
}

export interface Certified<V> {
  readonly value: V
  /** What the call emitted, in order. */
  readonly events: readonly CallEvent[]
  readonly report: CallReport
}

/** A call on its way. */
export interface SentCall<V> {
  /** Transaction id, 64 hexadecimal digits, once it is signed; `report.transactionId` names the form that executed. */
  readonly id: Promise<string>
  /** Who took it and passes it on: one node's word. Rejects as `cluster.call` where the call ends before. */
  until(rung: 'accepted'): Promise<Accepted>
  /** Value and report, once more than 2/3 of the validators signed the block. Rejects as `cluster.call`. */
  until(rung: 'certified'): Promise<Certified<V>>
}

export type CallMethods<I extends Interface> = Client<I, QueryReport>['call']
export type QueryMethods<I extends Interface> = Client<I, QueryReport>['query']
export type SendMethods<I extends Interface> = {
  readonly [N in EntryName<I, 'entry'>]: (...args: CallArguments<I, N>) => SentCall<CallResult<I, N>>
}

export interface NodeHealth {
  readonly url: string
  /** Smoothed milliseconds of its answers; null before the first. */
  readonly latency: number | null
  readonly failures: number
  readonly lies: number
  readonly isAside: boolean
  /** Why it failed last, such as `slow: deadline`. */
  readonly lastFailure: string | null
}

export interface Cluster<I extends Interface> {
  /**
   * Typed calls that resolve to the certified result. Reject `argument-…` (not sent), `call-trapped` and
   * `call-rejected` (`CallError`, certified), `expired`, `outcome-unknown`, `no-node` (`NoNodeError`), `forked`,
   * `closed`, or the code of f+1 nodes' refusal.
   */
  readonly call: CallMethods<I>
  /** The same calls as handles. Throw `argument-…`, `too-large` and `closed` at once. */
  readonly send: SendMethods<I>
  /** Typed queries at the newest common height. Reject as `runQuery`. */
  readonly query: QueryMethods<I>
  /** Queries at a height, or of one node without comparison. */
  at(options: QueryOptions): QueryMethods<I>
  /**
   * Events as they are certified, each proved before it is seen: `for await (const { value, cursor } of
   * cluster.watch.added({ from }))`. Reject as `watchEvents`.
   */
  readonly watch: WatchMethods<I>
  /** What nodes answered that cannot be true, oldest first. */
  readonly evidence: readonly Evidence[]
  readonly nodes: readonly NodeHealth[]
  /** The newest verified height. */
  readonly height: number
  /** The open session to go on with elsewhere, or null. Stop calling here before it is used there. */
  exportSession(): ExportedSession | null
  /** Ends all requests; calls still open reject `closed`. What was sent may still execute. */
  close(): void
}

/** The value of a verified receipt. Throws `CallError` for a trap, `result-form` where the description does not fit. */
function certifiedOf(
  description: Interface,
  name: string,
  call: PendingCall,
  delivered: DeliveredReceipt,
): Certified<unknown> {
  const report = callReport(delivered, call.issuedAt, performance.now())
  const { receipt } = delivered
  if (receipt.status !== receiptStatus.executed)
    throw new CallError(
      'call-trapped',
      `${name} trapped in block ${report.height}; its writes are undone`,
      report,
      null,
      delivered.hint,
    )
  try {
    const { value, events } = decodeOutput(description, name, receipt.output)
    return { value, events: events as readonly CallEvent[], report }
  } catch (cause) {
    throw new OnusError('result-form', `the certified result of ${name} is not of the described type`, {
      remedy: 'generate the client again from the interface of the deployed backend',
      cause,
    })
  }
}

type Method = (...args: readonly unknown[]) => unknown

function methodsOf(description: Interface, kind: EntryKind, make: (name: string) => Method): unknown {
  const methods: Record<string, Method> = Object.create(null)
  for (const entry of description.entries) if (entry.kind === kind) methods[entry.name] = make(entry.name)
  return Object.freeze(methods)
}

export class ConnectedCluster<I extends Interface> implements Cluster<I> {
  readonly call: CallMethods<I>
  readonly send: SendMethods<I>
  readonly query: QueryMethods<I>
  readonly watch: WatchMethods<I>
  readonly #description: Interface
  readonly #network: Network
  readonly #queue: CallQueue

  constructor(description: I, network: Network, queue: CallQueue) {
    selectorTable(description)
    this.#description = description
    this.#network = network
    this.#queue = queue
    const send = (name: string, args: readonly unknown[]): SentCall<unknown> => this.#sendCall(name, args)
    const calls = methodsOf(description, 'entry', (name) => async (...args) => {
      const { value } = await send(name, args).until('certified')
      return value
    })
    const sends = methodsOf(
      description,
      'entry',
      (name) =>
        (...args) =>
          send(name, args),
    )
    this.call = calls as CallMethods<I>
    this.send = sends as SendMethods<I>
    this.query = this.at({})
    const watches: Record<string, (options?: WatchOptions) => unknown> = Object.create(null)
    for (const { name } of description.events ?? [])
      watches[name] = (given = {}) => watchEvents(network, description, name, given)
    this.watch = Object.freeze(watches) as unknown as WatchMethods<I>
  }

  at(options: QueryOptions): QueryMethods<I> {
    const description = this.#description
    const methods = methodsOf(description, 'query', (name) => async (...args) => {
      const startedAt = performance.now()
      const { height, output, agreedBy } = await runQuery(this.#network, encodeCall(description, name, args), options)
      const report: QueryReport = { height, agreedBy, latency: performance.now() - startedAt }
      return { value: decodeResult(description, name, output), report }
    })
    return methods as QueryMethods<I>
  }

  #sendCall(name: string, args: readonly unknown[]): SentCall<unknown> {
    const { gas } = this.#description.entries.find((entry) => entry.name === name) ?? {}
    const call = this.#queue.push(encodeCall(this.#description, name, args), gas)
    const certified = call.certified.then((delivered) => {
      this.#network.readHeight = Math.max(this.#network.readHeight, delivered.certificate.manifest.height)
      return certifiedOf(this.#description, name, call, delivered)
    })
    // Whoever never asks for the outcome must not get an unhandled rejection.
    certified.catch(() => undefined)
    const until = (rung: Rung): Promise<unknown> => (rung === 'accepted' ? acceptedBy(this.#network, call) : certified)
    return { id: call.id, until: until as SentCall<unknown>['until'] }
  }

  get evidence(): readonly Evidence[] {
    return [...this.#network.evidence.items]
  }

  get nodes(): readonly NodeHealth[] {
    const now = performance.now()
    return this.#network.pool.map(({ url, latency, failures, lies, asideUntil, lastFailure }) => ({
      url,
      latency,
      failures,
      lies,
      isAside: asideUntil > now,
      lastFailure: lastFailure === null ? null : `${lastFailure.kind}: ${lastFailure.code}`,
    }))
  }

  get height(): number {
    return this.#network.certificates.newest.height
  }

  exportSession(): ExportedSession | null {
    const { session } = this.#queue
    return session === null || session.dead ? null : exportedSession(session)
  }

  close(): void {
    this.#network.lifetime.end()
  }
}
