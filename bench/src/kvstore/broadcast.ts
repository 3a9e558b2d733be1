/**
 * Two ways to hand a transaction to CometBFT, each at its best in the study: `broadcast_tx_sync` over kept HTTP
 * connections, `broadcast_tx_async` over one WebSocket a node. What is refused is told; what is decided, events tell.
 */
import { OnusError } from '@onus/protocol/errors'
import { HttpConnection } from '../net/httpConnection.js'
import { WebSocketConnection } from '../net/webSocket.js'
import type { Transport } from './loadMethods.js'

export interface Broadcaster {
  /** `transaction` in base64. Resolves when it is handed over. Rejects `kvstore-refused`. */
  send(transaction: string): Promise<void>
  close(): void
}

interface Answer {
  readonly id?: number
  readonly error?: { readonly data?: string }
  readonly result?: { readonly code?: number; readonly log?: string }
}

function checkAnswer(text: string): Answer {
  const answer = JSON.parse(text) as Answer
  if (answer.error !== undefined || answer.result?.code !== 0)
    throw new OnusError('kvstore-refused', `CometBFT refused a transaction: ${text.slice(0, 300)}`)
  return answer
}

function requestText(id: number, method: string, transaction: string): string {
  return `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":{"tx":"${transaction}"}}`
}

/** HTTP connections of one node, each with one request at a time; CometBFT allows 100 of them. */
const connectionsPerNode = 25

async function overHttp(rpcPort: number): Promise<Broadcaster> {
  const url = `http://127.0.0.1:${rpcPort}`
  const connections = await Promise.all(Array.from({ length: connectionsPerNode }, () => HttpConnection.open(url)))
  const free = [...connections]
  const waiting: ((connection: HttpConnection) => void)[] = []
  const taken = async (): Promise<HttpConnection> => free.pop() ?? new Promise((resolve) => waiting.push(resolve))
  return {
    async send(transaction) {
      const connection = await taken()
      try {
        const body = Buffer.from(requestText(1, 'broadcast_tx_sync', transaction))
        const reply = await connection.send('POST', '/', 'application/json', body)
        checkAnswer(Buffer.from(reply.body).toString('utf8'))
      } finally {
        const next = waiting.shift()
        if (next === undefined) free.push(connection)
        else next(connection)
      }
    },
    close() {
      for (const connection of connections) connection.close()
    },
  }
}

async function overWebSocket(rpcPort: number): Promise<Broadcaster> {
  const waiting = new Map<number, { resolve(): void; reject(error: unknown): void }>()
  let nextId = 1
  const onText = (text: string): void => {
    const id = (JSON.parse(text) as Answer).id ?? 0
    const asked = waiting.get(id)
    waiting.delete(id)
    try {
      checkAnswer(text)
      asked?.resolve()
    } catch (error) {
      asked?.reject(error)
    }
  }
  const connection = await WebSocketConnection.open(rpcPort, '/websocket', onText, (error) => {
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  })
  return {
    send: (transaction) =>
      new Promise((resolve, reject) => {
        const id = nextId++
        waiting.set(id, { resolve, reject })
        connection.send(requestText(id, 'broadcast_tx_async', transaction))
      }),
    close: () => connection.close(),
  }
}

export function openBroadcaster(transport: Transport, rpcPort: number): Promise<Broadcaster> {
  return transport === 'http' ? overHttp(rpcPort) : overWebSocket(rpcPort)
}
