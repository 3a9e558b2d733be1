/**
 * The few calls of CometBFT's JSON-RPC that a node needs, over kept-alive HTTP connections on loopback. Every call has a
 * time limit and a size limit, every field of an answer is checked. Errors: `rpc-unreachable`, `rpc-timeout`,
 * `rpc-shape`, `rpc-error` (CometBFT refused), `engine-height` (no such block), `engine-catching-up`.
 */
import { Agent, request } from 'node:http'
import { OnusError } from '@onus/protocol/errors'
import type { BlockRequest } from '../../abci/application.js'
import type { SignedHeader } from '../engine.js'
import { elements, hexBytes, integerText, type JsonValue, member, text, truth } from './json.js'
import { signedHeaderOfJson } from './signedHeader.js'
import { undecidedBlockOfJson } from './undecidedBlock.js'

export interface NodeStatus {
  readonly nodeId: string
  readonly chainId: string
  readonly latestHeight: number
  readonly earliestHeight: number
  /** Still fetching blocks that others have. */
  readonly catchingUp: boolean
  /** Of the key that this process votes with, 20 bytes. */
  readonly validatorAddress: Uint8Array
}

export interface PeerStatus {
  readonly nodeId: string
  readonly moniker: string
  readonly address: string
}

const maximumPeers = 100

export class CometbftRpc {
  readonly #port: number
  readonly #timeout: number
  readonly #maximumResponseBytes: number
  // CometBFT closes idle connections after some time; Node's agent retries nothing, so calls on a connection that is
  // just being closed fail with ECONNRESET. `#call` tries those once more.
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 })
  #nextId = 1

  /** `timeout` in milliseconds, of each call. A consensus state holds up to three blocks, in base64. */
  constructor(port: number, timeout: number, maximumBlockBytes: number) {
    this.#port = port
    this.#timeout = timeout
    this.#maximumResponseBytes = 4 * maximumBlockBytes + 4 * 1024 * 1024
  }

  async status(): Promise<NodeStatus> {
    const result = await this.#call('status', {})
    const node = member(result, 'node_info')
    const sync = member(result, 'sync_info')
    return {
      nodeId: text(member(node, 'id')),
      chainId: text(member(node, 'network')),
      latestHeight: integerText(member(sync, 'latest_block_height')),
      earliestHeight: integerText(member(sync, 'earliest_block_height')),
      catchingUp: truth(member(sync, 'catching_up')),
      validatorAddress: hexBytes(member(member(result, 'validator_info'), 'address'), 20),
    }
  }

  /** Header and commit of `height`. */
  async commit(height: number): Promise<SignedHeader> {
    const result = await this.#call('commit', { height: String(height) })
    // A pruned or missing block is a null result.
    if (result.value === null) throw noBlock(height)
    const signed = signedHeaderOfJson(result)
    if (signed.header.height !== height)
      throw new OnusError('rpc-shape', `expected height ${height}, got ${signed.header.height}`, { path: result.path })
    return signed
  }

  /** Puts `transaction` into the mempool; one that is there already counts as put. */
  async broadcastTxAsync(transaction: Uint8Array): Promise<void> {
    try {
      await this.#call('broadcast_tx_async', { tx: Buffer.from(transaction).toString('base64') })
    } catch (error) {
      if (!(error instanceof OnusError && error.message.includes('tx already exists in cache'))) throw error
    }
  }

  async peers(): Promise<PeerStatus[]> {
    const result = await this.#call('net_info', {})
    return elements(member(result, 'peers'), maximumPeers).map((peer) => {
      const node = member(peer, 'node_info')
      return {
        nodeId: text(member(node, 'id')),
        moniker: text(member(node, 'moniker')),
        address: text(member(peer, 'remote_ip')),
      }
    })
  }

  /** The undecided block with `hash`, or null; see `Engine`. Waits while consensus itself is busy. */
  async undecidedBlock(hash: Uint8Array): Promise<BlockRequest | null> {
    const result = await this.#call('dump_consensus_state', {})
    return undecidedBlockOfJson(member(result, 'round_state'), hash)
  }

  close(): void {
    this.#agent.destroy()
  }

  async #call(method: string, params: Readonly<Record<string, string>>): Promise<JsonValue> {
    const id = this.#nextId++
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params })
    const answer = await this.#post(body).catch((error: unknown) => {
      if (error instanceof OnusError && error.code === 'rpc-unreachable' && isReset(error.cause))
        return this.#post(body)
      throw error
    })
    return resultOf(method, id, params['height'], answer)
  }

  async #post(body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          agent: this.#agent,
          host: '127.0.0.1',
          port: this.#port,
          method: 'POST',
          path: '/',
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        },
        (response) => {
          const chunks: Buffer[] = []
          let length = 0
          response.on('data', (chunk: Buffer) => {
            length += chunk.length
            if (length > this.#maximumResponseBytes)
              outgoing.destroy(
                new OnusError('rpc-shape', `expected at most ${this.#maximumResponseBytes} bytes, got more`),
              )
            else chunks.push(chunk)
          })
          response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
          response.on('error', fail)
        },
      )
      const timer = setTimeout(
        () => outgoing.destroy(new OnusError('rpc-timeout', `no answer within ${this.#timeout} ms`)),
        this.#timeout,
      )
      const fail = (cause: Error): void =>
        reject(
          cause instanceof OnusError
            ? cause
            : new OnusError('rpc-unreachable', `CometBFT does not answer on port ${this.#port}`, { cause }),
        )
      outgoing.on('error', fail)
      outgoing.on('close', () => clearTimeout(timer))
      outgoing.end(body)
    })
  }
}

function noBlock(height: number | string): OnusError {
  return new OnusError('engine-height', `there is no block ${height} here, not yet or no longer`)
}

function isReset(cause: unknown): boolean {
  return cause instanceof Error && (cause as NodeJS.ErrnoException).code === 'ECONNRESET'
}

function parse(method: string, answer: string): JsonValue {
  try {
    return { value: JSON.parse(answer), path: method }
  } catch (cause) {
    throw new OnusError('rpc-shape', `expected JSON, got ${JSON.stringify(answer.slice(0, 80))}`, {
      path: method,
      cause,
    })
  }
}

/** The result in a JSON-RPC answer. Rejects `rpc-error`, `engine-height` and `rpc-shape`. */
function resultOf(method: string, id: number, height: string | undefined, answer: string): JsonValue {
  const json = parse(method, answer)
  const error = member(json, 'error')
  if (error.value !== undefined) {
    const data = member(error, 'data')
    const message = data.value === undefined ? text(member(error, 'message')) : text(data)
    if (height !== undefined && /^height \d+ (must be less than|is not available)/.test(message)) throw noBlock(height)
    if (message.includes('node is catching up'))
      throw new OnusError('engine-catching-up', 'this node is still fetching blocks that others have')
    throw new OnusError('rpc-error', `CometBFT refused ${method}: ${message.slice(0, 300)}`)
  }
  if (member(json, 'id').value !== id)
    throw new OnusError('rpc-shape', `expected the answer to call ${id}`, { path: method })
  return member(json, 'result')
}
