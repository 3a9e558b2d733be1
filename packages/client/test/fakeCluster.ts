/**
 * The nodes of a fake chain behind `fetch` or a real HTTP server: the API of `spec/gateway.md`, honest by default. A
 * test bends one node by a behaviour, a function around the honest answer.
 */

import type { Fetch } from '@onus/client/http'
import { toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import { encodeQueryAnswer, encodeResults } from '@onus/protocol/gatewayMessages'
import { decodeCall, encodeResult } from '@onus/protocol/interface/call'
import { isPast } from '@onus/protocol/session'
import { decodeEnvelope } from '@onus/protocol/transaction'
import { type ChainOptions, FakeChain } from './fakeChain.js'
import { notes } from './notes.js'

export interface FakeRequest {
  readonly node: number
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly body: Uint8Array
}

/** Answers instead of the node; `honest` gives what the node would say. */
export type Behaviour = (request: FakeRequest, honest: () => Promise<Response>) => Promise<Response>

export function binary(bytes: Uint8Array): Response {
  return new Response(bytes.slice())
}

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(value), { status, headers })
}

export function errorResponse(status: number, code: string, headers: Record<string, string> = {}): Response {
  return json({ error: { code, message: `says ${code}` } }, status, headers)
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

export class FakeCluster {
  readonly chain: FakeChain
  readonly requests: FakeRequest[] = []
  readonly behaviours = new Map<number, Behaviour>()
  /** Envelopes taken and not yet in a block. */
  #pending: Uint8Array[] = []
  readonly #known = new Map<string, readonly string[]>()
  #isScheduled = false
  /** Blocks are made by themselves as soon as something waits. */
  isRunning = true
  /** Time of the newest empty block, which has no certificate; 0 when there is none. */
  emptyBlockTime = 0

  constructor(options: ChainOptions) {
    this.chain = new FakeChain(options)
  }

  urls(count: number = this.chain.keys.length): string[] {
    return Array.from({ length: count }, (_, index) => `http://node${index}`)
  }

  readonly fetch: Fetch = async (url, init) => {
    const { hostname, pathname, search } = new URL(url)
    const body = init.body instanceof Uint8Array ? init.body : new Uint8Array(0)
    const node = Number(hostname.replace('node', ''))
    const aborted = new Promise<never>((_, reject) => {
      init.signal?.addEventListener('abort', () => reject(new TypeError('aborted')))
    })
    return Promise.race([this.handle({ node, method: init.method ?? 'GET', path: pathname + search, body }), aborted])
  }

  handle(request: FakeRequest): Promise<Response> {
    this.requests.push(request)
    const honest = (): Promise<Response> => this.#honest(request)
    const behaviour = this.behaviours.get(request.node)
    return behaviour === undefined ? honest() : behaviour(request, honest)
  }

  /** Envelopes that clients posted, each with the node it went to. */
  posted(): FakeRequest[] {
    return this.requests.filter(({ path }) => path.startsWith('/v1/envelopes'))
  }

  async #honest(request: FakeRequest): Promise<Response> {
    const url = new URL(request.path, 'http://node')
    const [, , kind, argument] = url.pathname.split('/')
    try {
      if (kind === 'envelopes') return await this.#postEnvelope(request.body, Number(url.searchParams.get('timeout')))
      if (kind === 'receipts') return this.#receipt(argument as string)
      if (kind === 'certificates') return this.#latest()
      if (kind === 'queries') return await this.#query(request.body, url.searchParams.get('height'))
      if (kind === 'sessions') return this.#session(argument as string)
      if (kind === 'status') return this.#status()
      return errorResponse(404, 'no-such-path')
    } catch (error) {
      if (error instanceof OnusError) return errorResponse(400, error.code)
      throw error
    }
  }

  #now(): { height: number; milliseconds: number } {
    const last = this.chain.blocks[this.chain.blocks.length - 1]
    return { height: this.chain.height, milliseconds: Math.max(last?.milliseconds ?? 0, this.emptyBlockTime) }
  }

  /** Results of an envelope that is in a block, else null. */
  results(ids: readonly string[]): Response | null {
    const found = ids.map((id) => this.chain.find(id))
    if (found.some((one) => one === null)) return null
    const certificates = new Set<Uint8Array>()
    const receipts: Uint8Array[] = []
    for (const one of found) {
      if (one === null) continue
      certificates.add(one.block.certificate)
      receipts.push(one.receipt)
    }
    return binary(encodeResults({ certificates: [...certificates], receipts }))
  }

  async #postEnvelope(bytes: Uint8Array, timeout: number): Promise<Response> {
    const envelope = decodeEnvelope(bytes)
    const ids = this.chain.idsOf(envelope)
    if (!this.#known.has(toHex(bytes))) {
      const refusal = this.#refusal(bytes)
      if (refusal !== null) return refusal
      this.#known.set(toHex(bytes), ids)
      this.#pending.push(bytes)
    }
    this.#schedule()
    const until = performance.now() + timeout
    for (;;) {
      const results = this.results(ids)
      if (results !== null) return results
      if (performance.now() > until) return errorResponse(504, 'not-yet-certified')
      await pause(2)
    }
  }

  #refusal(bytes: Uint8Array): Response | null {
    const envelope = decodeEnvelope(bytes)
    if (this.chain.signerOf(envelope) === null) return errorResponse(401, 'signature-wrong')
    for (const transaction of envelope.transactions) {
      if (isPast(transaction.expiry, this.#now())) return errorResponse(410, 'expired')
      const session = this.chain.sessions.get(transaction.session.slot)
      if (transaction.type === 'opening') {
        if (session !== undefined && !isPast(session.closes, this.#now())) return errorResponse(409, 'slot-taken')
        continue
      }
      if (session === undefined || session.generation !== transaction.session.generation)
        return errorResponse(404, 'session-unknown')
      if (transaction.counter < session.nextCounter) return errorResponse(409, 'counter-used')
      decodeCall(notes, transaction.argument)
    }
    return null
  }

  #schedule(): void {
    if (this.#isScheduled || !this.isRunning) return
    this.#isScheduled = true
    setTimeout(() => {
      this.#isScheduled = false
      if (this.isRunning) this.produce()
    }, 3)
  }

  /** One block of what can execute now; what waits for earlier calls stays. */
  produce(): void {
    const next = new Map([...this.chain.sessions].map(([slot, { nextCounter }]) => [slot, nextCounter]))
    const ready: Uint8Array[] = []
    let rest = this.#pending
    for (let size = -1; size !== rest.length; ) {
      size = rest.length
      rest = rest.filter((bytes) => {
        const { transactions } = decodeEnvelope(bytes)
        const first = transactions[0]
        if (first?.type === 'call') {
          const expected = next.get(first.session.slot)
          if (expected === undefined || first.counter > expected) return true
          next.set(first.session.slot, Math.max(expected, first.counter + transactions.length))
        }
        ready.push(bytes)
        return false
      })
    }
    this.#pending = rest
    const moment = { height: this.chain.height + 1, milliseconds: this.chain.milliseconds }
    const alive = ready.filter((bytes) =>
      decodeEnvelope(bytes).transactions.some(({ expiry }) => !isPast(expiry, moment)),
    )
    if (alive.length > 0) this.chain.produce(alive)
    else if (ready.length > 0) this.emptyBlockTime = this.chain.milliseconds
  }

  #receipt(id: string): Response {
    return this.results([id]) ?? errorResponse(404, 'unknown-transaction')
  }

  #latest(): Response {
    const block = this.chain.blocks[this.chain.blocks.length - 1]
    return block === undefined ? errorResponse(404, 'unknown-block') : binary(block.certificate)
  }

  async #query(body: Uint8Array, asked: string | null): Promise<Response> {
    const { entry, args } = decodeCall(notes, body)
    const height = asked === null ? this.chain.height : Number(asked)
    for (let wait = 0; height > this.chain.height && wait < 10; wait++) await pause(2)
    if (height > this.chain.height) return errorResponse(504, 'height-ahead')
    if (height < this.chain.height - 8) return errorResponse(410, 'height-gone')
    if (entry.name === 'boom') return errorResponse(422, 'query-trapped')
    const [from, max] = args as [number, number]
    const value = this.chain.notesAt(height).slice(from, from + max)
    return binary(encodeQueryAnswer({ height, trapped: false, output: encodeResult(notes, 'list', value) }))
  }

  #session(argument: string): Response {
    const moment = this.#now()
    if (argument === 'free') {
      let slot = 0
      while (this.chain.sessions.has(slot)) slot += 1
      return json({ slot, generation: 0, height: moment.height, time: moment.milliseconds })
    }
    const session = this.chain.sessions.get(Number(argument))
    if (session === undefined) return errorResponse(404, 'session-unknown')
    const { generation, nextCounter, closes, owner, key } = session
    const open = !isPast(closes, moment)
    return json({ slot: Number(argument), generation, open, nextCounter, owner: toHex(owner), key: toHex(key), closes })
  }

  #status(): Response {
    const { height, milliseconds } = this.#now()
    return json({
      clusterId: toHex(this.chain.genesis.clusterId),
      epoch: 1,
      state: 'validating',
      height,
      time: milliseconds,
    })
  }
}
