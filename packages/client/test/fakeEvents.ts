/** Event streams of the nodes of a fake cluster, honest by default; a test bends a node's messages or breaks them off. */
import type { Fetch } from '@onus/client/http'
import { decodeBlockData, placedTransactions } from '@onus/protocol/blockData'
import { toHex } from '@onus/protocol/bytes'
import type { FakeBlock } from './fakeChain.js'
import { errorResponse, type FakeCluster, pause } from './fakeCluster.js'

/** A message as it is written, another one in its place, or the end of the connection. */
export type Bend = (message: string, count: number) => string | 'break'

export interface StreamRequest {
  readonly node: number
  readonly from: string
}

export class FakeEvents {
  readonly #fake: FakeCluster
  readonly requests: StreamRequest[] = []
  readonly bends = new Map<number, Bend>()
  /** Codes with which nodes refuse. */
  readonly refusals = new Map<number, string>()
  /** Codes with which the next requests are refused, whichever node gets them. */
  readonly refuseNext: string[] = []
  /** Nodes that show no block above a height. */
  readonly stuck = new Map<number, number>()
  /** Open streams. */
  open = 0

  constructor(fake: FakeCluster) {
    this.#fake = fake
  }

  readonly fetch: Fetch = async (address, init) => {
    const url = new URL(address)
    if (url.pathname !== '/v1/events') return this.#fake.fetch(address, init)
    const node = Number(url.hostname.replace('node', ''))
    const from = url.searchParams.get('from') ?? ''
    this.requests.push({ node, from })
    const refusal = this.refuseNext.shift() ?? this.refusals.get(node)
    if (refusal === 'unreachable') throw new TypeError('fetch failed')
    if (refusal !== undefined) return errorResponse(refusal === 'cursor-gone' ? 410 : 503, refusal)
    return new Response(this.#stream(node, from, init.signal as AbortSignal))
  }

  #stream(node: number, from: string, signal: AbortSignal): ReadableStream<Uint8Array> {
    const encoder = new TextEncoder()
    let isOpen = true
    this.open += 1
    const end = (): void => {
      if (isOpen) this.open -= 1
      isOpen = false
    }
    return new ReadableStream<Uint8Array>({
      start: async (controller) => {
        signal.addEventListener('abort', () => {
          if (isOpen) controller.error(new TypeError('aborted'))
          end()
        })
        let count = 0
        for await (const message of this.#messages(node, from, () => isOpen)) {
          const bent = this.bends.get(node)?.(message, count++) ?? message
          if (!isOpen) return
          if (bent === 'break') {
            // An error drops what was not read yet, which a network may do as well, but not always.
            await pause(2)
            if (!isOpen) return
            end()
            controller.error(new TypeError('broken'))
            return
          }
          // In pieces: a message may come in any number of them.
          for (let at = 0; at < bent.length; at += 997) controller.enqueue(encoder.encode(bent.slice(at, at + 997)))
        }
      },
      cancel: end,
    })
  }

  async *#messages(node: number, from: string, isOpen: () => boolean): AsyncGenerator<string> {
    const [height = 0, index = Number.POSITIVE_INFINITY] = from.split('.').map(Number)
    yield 'retry: 1000\n\n'
    let next = height
    while (isOpen()) {
      const block = this.#fake.chain.blocks.find((one) => one.height === next)
      if (block !== undefined && next <= (this.stuck.get(node) ?? next))
        yield* messagesOf(block, next === height ? index : -1)
      if (next < Math.min(this.#fake.chain.height, this.stuck.get(node) ?? Number.POSITIVE_INFINITY)) next += 1
      else {
        yield `: ${next}\nid: ${next}\n\n`
        for (let wait = 0; wait < 5 && isOpen(); wait++) await pause(2)
        if (next < this.#fake.chain.height && this.stuck.get(node) === undefined) next += 1
        else if (block !== undefined && this.stuck.get(node) === undefined) next = block.height + 1
      }
    }
  }
}

/** Everything of the transactions from `index` on: those seen are the client's to leave out. */
export function messagesOf(block: FakeBlock, index: number): string[] {
  const transactions = placedTransactions(decodeBlockData(block.items[1] as Uint8Array))
  const messages = [`event: certificate\ndata: {"height":${block.height},"bytes":"0x${toHex(block.certificate)}"}\n\n`]
  for (const [place, { transaction, body }] of transactions.entries())
    if (transaction.type === 'call' && place >= index)
      messages.push(
        `event: receipt\ndata: {"height":${block.height},"index":${place},"bytes":"0x${toHex(block.receipts[place] as Uint8Array)}","body":"0x${toHex(body)}"}\n\n`,
      )
  return messages
}
