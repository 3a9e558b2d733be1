/**
 * A call stream to a gateway that gives only what it has verified (`spec/gateway.md`): receipts under certificates that
 * more than 2/3 of the members signed, checked by the functions of `@onus/client`. One is shared by all sessions of a
 * node, as a server shares it among its users.
 */
import { CallStream } from '@onus/client/callStream'
import { Lifetime } from '@onus/client/lifetime'
import { resultsLimit, verifyResults } from '@onus/client/verifyResults'
import { OnusError } from '@onus/protocol/errors'
import { receiptStatus } from '@onus/protocol/receipt'
import { WebSocket } from 'ws'
import type { CertificateCache } from './certificateCache.js'
import type { SignedEnvelope } from './signedEnvelopes.js'

/** Milliseconds until the certificate. */
const patience = 30_000

export class GatewayClient {
  readonly #stream: CallStream
  readonly #certificates: CertificateCache
  readonly #lifetime = new Lifetime()

  private constructor(stream: CallStream, certificates: CertificateCache) {
    this.#stream = stream
    this.#certificates = certificates
  }

  static async open(url: string, certificates: CertificateCache): Promise<GatewayClient> {
    const opened = { socket: null as WebSocket | null }
    const stream = new CallStream(url, patience, (address, protocol) => {
      opened.socket = new WebSocket(address, protocol, { perMessageDeflate: false })
      return opened.socket
    })
    await new Promise<void>((resolve, reject) => {
      opened.socket?.once('open', resolve)
      opened.socket?.once('error', reject)
    })
    return new GatewayClient(stream, certificates)
  }

  /**
   * Height of the block that certified the last transaction of the envelope; every receipt is verified and executed.
   * Rejects `gateway` on an error of the node, `not-executed`, and as `verifyResults`.
   */
  async call({ bytes, ids }: SignedEnvelope): Promise<number> {
    const outcome = await this.#stream.carry(bytes, patience, resultsLimit(ids.length), this.#lifetime)
    if (outcome.kind !== 'reply' || outcome.status !== 200)
      throw new OnusError(
        'gateway',
        outcome.kind === 'reply' ? new TextDecoder().decode(outcome.bytes) : `the stream says ${outcome.kind}`,
      )
    const verified = verifyResults((certificate) => this.#certificates.admit(certificate), outcome.bytes, ids)
    for (const { receipt } of verified)
      if (receipt.status !== receiptStatus.executed)
        throw new OnusError('not-executed', `a receipt has status ${receipt.status}, rejection ${receipt.rejection}`)
    return verified.at(-1)?.certificate.manifest.height ?? 0
  }

  close(): void {
    this.#lifetime.end()
    this.#stream.close()
  }
}

/** One client for each gateway that the sessions use, in their order. */
export async function openClients(
  urls: readonly string[],
  certificates: CertificateCache,
): Promise<{ readonly clients: readonly GatewayClient[]; close(): void }> {
  const byUrl = new Map<string, GatewayClient>()
  for (const url of new Set(urls)) byUrl.set(url, await GatewayClient.open(url, certificates))
  return {
    clients: urls.map((url) => byUrl.get(url) as GatewayClient),
    close() {
      for (const client of byUrl.values()) client.close()
    },
  }
}
