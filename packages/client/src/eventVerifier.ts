/**
 * From the messages of one node's stream to proved events (`spec/client.md` 8): each receipt stands under a verified
 * certificate, its transaction id is the hash of the call that came with it, and its events are decoded here from the
 * certified output. What the node says of events beside that is not read.
 */
import { equalBytes, fromHex, toHex } from '@onus/protocol/bytes'
import type { Certificate } from '@onus/protocol/certificate'
import { OnusError } from '@onus/protocol/errors'
import { decodeOutput } from '@onus/protocol/interface/call'
import type { Interface } from '@onus/protocol/interface/description'
import { selectorLength, selectorNumber, selectorTable } from '@onus/protocol/interface/selector'
import { decodeReceiptProof, type Receipt, receiptStatus } from '@onus/protocol/receipt'
import { callHeaderLength, transactionId } from '@onus/protocol/transaction'
import type { EventCursor } from './eventCursor.js'
import { readJsonText } from './gatewayError.js'
import type { Network } from './network.js'
import { hexAddress } from './reports.js'

export interface EventReport {
  /** 64 hexadecimal digits: the call that emitted the event. */
  readonly transactionId: string
  readonly height: number
  /** Addresses (`0x`, 40 digits) of the validators whose signatures were checked. */
  readonly certifiedBy: readonly string[]
  readonly round: number
  /** URL of the node that gave it. */
  readonly node: string
}

export interface ProvedEvent {
  readonly name: string
  readonly value: Readonly<Record<string, unknown>>
  readonly cursor: EventCursor
  readonly report: EventReport
}

function hexMember(object: Readonly<Record<string, unknown>>, name: string): Uint8Array {
  const value = object[name]
  if (typeof value !== 'string') throw new OnusError('json-form', `expected ${name} in hexadecimal`)
  return fromHex(value)
}

export class EventVerifier {
  readonly #network: Network
  readonly #description: Interface
  readonly #node: string
  #certificate: Certificate | null = null

  constructor(network: Network, description: Interface, node: string) {
    this.#network = network
    this.#description = description
    this.#node = node
  }

  /** A message `certificate`. Rejects as `CertificateStore.admit` does, and `json-form`. */
  certificate(data: string): void {
    this.#certificate = this.#network.certificates.admit(hexMember(readJsonText(data), 'bytes'))
  }

  /**
   * The events of a message `receipt`, all of its call; none of a call before that of `seen`. Rejects `missing-certificate`, `wrong-receipt`,
   * `wrong-transaction`, `json-form` and the codes of the decoders: the node lies; `event-form`: the description does
   * not fit what the cluster certified.
   */
  receipt(data: string, seen: EventCursor): ProvedEvent[] {
    const message = readJsonText(data)
    const proof = decodeReceiptProof(hexMember(message, 'bytes'))
    const body = hexMember(message, 'body')
    const certificate = this.#certificate
    if (certificate === null || certificate.manifest.height !== proof.height)
      throw new OnusError('missing-certificate', `no certificate of block ${proof.height} came before its receipt`)
    const receipt = certificate.verifyReceipt(proof)
    const { hasher, domain } = this.#network.trust
    if (!equalBytes(transactionId(hasher, domain, 'call', body), receipt.transactionId))
      throw new OnusError('wrong-transaction', `the call that came with receipt ${proof.index} is not its transaction`)
    if (receipt.status !== receiptStatus.executed) return []
    // Nobody asked for it, and it may be of an older interface: a node must not end a watch with what is long past.
    const isPast = proof.height < seen.height || (proof.height === seen.height && proof.index < seen.index)
    if (isPast) return []
    const report: EventReport = {
      transactionId: toHex(receipt.transactionId),
      height: proof.height,
      certifiedBy: certificate.signers.map(hexAddress),
      round: certificate.round,
      node: this.#node,
    }
    return this.#eventsOf(receipt, body).map(({ name, value }, event) => ({
      name,
      value,
      cursor: { height: proof.height, index: proof.index, event },
      report,
    }))
  }

  #eventsOf(receipt: Receipt, body: Uint8Array): readonly { name: string; value: Record<string, unknown> }[] {
    const entry =
      body.length < callHeaderLength + selectorLength
        ? undefined
        : selectorTable(this.#description).entries.get(selectorNumber(body, callHeaderLength))
    try {
      if (entry === undefined) throw new OnusError('decode-selector', 'the call is of an entry that is not described')
      return decodeOutput(this.#description, entry.name, receipt.output).events
    } catch (cause) {
      throw new OnusError('event-form', 'a certified call with events is not of the described interface', {
        remedy: 'generate the client again from the interface of the deployed backend',
        cause,
      })
    }
  }
}
