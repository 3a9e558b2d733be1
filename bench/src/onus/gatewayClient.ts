/**
 * A kept connection to a gateway that gives only what it has verified (`spec/gateway.md`): receipts under certificates
 * that more than 2/3 of the members signed, checked by the functions of `@onus/client`.
 */
import { verifyResults } from '@onus/client/verifyResults'
import { OnusError } from '@onus/protocol/errors'
import { decodeQueryAnswer } from '@onus/protocol/gatewayMessages'
import { receiptStatus } from '@onus/protocol/receipt'
import { HttpConnection, type HttpReply } from '../net/httpConnection.js'
import type { CertificateCache } from './certificateCache.js'
import type { SignedEnvelope } from './signedEnvelopes.js'

const binary = 'application/octet-stream'
/** Milliseconds that a gateway may keep a request until its certificate. */
const patience = 30_000

function bodyOf({ status, body }: HttpReply): Uint8Array {
  if (status !== 200) throw new OnusError('gateway', `status ${status}: ${Buffer.from(body).toString('utf8')}`)
  return body
}

export class GatewayClient {
  readonly #connection: HttpConnection
  readonly #certificates: CertificateCache

  private constructor(connection: HttpConnection, certificates: CertificateCache) {
    this.#connection = connection
    this.#certificates = certificates
  }

  static async open(url: string, certificates: CertificateCache): Promise<GatewayClient> {
    return new GatewayClient(await HttpConnection.open(url), certificates)
  }

  /**
   * Height of the block that certified the last transaction of the envelope; every receipt is verified and executed.
   * Rejects `gateway` on an error of the node, `not-executed`, and as `verifyResults`.
   */
  async call({ bytes, ids }: SignedEnvelope): Promise<number> {
    const reply = await this.#connection.send('POST', `/v1/envelopes?timeout=${patience}`, binary, bytes)
    const verified = verifyResults((certificate) => this.#certificates.admit(certificate), bodyOf(reply), ids)
    for (const { receipt } of verified)
      if (receipt.status !== receiptStatus.executed)
        throw new OnusError('not-executed', `a receipt has status ${receipt.status}, rejection ${receipt.rejection}`)
    return verified.at(-1)?.certificate.manifest.height ?? 0
  }

  /** Output of a query at the node's newest state. Nothing vouches for it but this node. */
  async query(argument: Uint8Array): Promise<Uint8Array> {
    const answer = decodeQueryAnswer(bodyOf(await this.#connection.send('POST', '/v1/queries', binary, argument)))
    if (answer.trapped) throw new OnusError('gateway', 'the query trapped')
    return answer.output
  }

  close(): void {
    this.#connection.close()
  }
}
