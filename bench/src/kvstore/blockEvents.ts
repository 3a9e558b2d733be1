/** Tells which transactions were decided: the event `NewBlock` of one node, whose block names them in base64. */
import { OnusError } from '@onus/protocol/errors'
import { WebSocketConnection } from '../net/webSocket.js'

interface BlockEvent {
  readonly error?: unknown
  readonly result?: {
    readonly data?: {
      readonly value?: {
        readonly block?: { readonly header?: { height?: string }; readonly data?: { txs?: string[] } }
      }
    }
  }
}

interface Decided {
  resolve(height: number): void
  reject(error: unknown): void
}

export class BlockEvents {
  readonly #waiting = new Map<string, Decided>()
  #connection: WebSocketConnection | null = null

  /** Rejects `kvstore-rpc` when CometBFT refuses the subscription. */
  static async open(rpcPort: number): Promise<BlockEvents> {
    const events = new BlockEvents()
    await events.#subscribe(rpcPort)
    return events
  }

  #subscribe(rpcPort: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let isSubscribed = false
      const onText = (text: string): void => {
        const message = JSON.parse(text) as BlockEvent
        if (isSubscribed) this.#take(message)
        else if (message.error !== undefined) reject(new OnusError('kvstore-rpc', text.slice(0, 300)))
        else resolve()
        isSubscribed = true
      }
      WebSocketConnection.open(rpcPort, '/websocket', onText, (error) => this.#fail(error)).then((connection) => {
        this.#connection = connection
        connection.send(
          JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'subscribe', params: { query: "tm.event='NewBlock'" } }),
        )
      }, reject)
    })
  }

  /** Height of the block that holds `transaction` (base64). Call before it is sent. */
  decision(transaction: string): Promise<number> {
    return new Promise((resolve, reject) => this.#waiting.set(transaction, { resolve, reject }))
  }

  /** The transaction was refused: nobody waits for it any more. */
  refused(transaction: string, error: unknown): void {
    const waiting = this.#waiting.get(transaction)
    this.#waiting.delete(transaction)
    waiting?.reject(error)
  }

  #take({ result }: BlockEvent): void {
    const block = result?.data?.value?.block
    const height = Number(block?.header?.height ?? 0)
    for (const transaction of block?.data?.txs ?? []) {
      const waiting = this.#waiting.get(transaction)
      this.#waiting.delete(transaction)
      waiting?.resolve(height)
    }
  }

  #fail(error: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  close(): void {
    this.#connection?.close()
    this.#fail(new OnusError('kvstore-rpc', 'the subscription was closed'))
  }
}
