/**
 * Results of an envelope or a receipt as JSON (`spec/gateway.md` 4): what the certificates and receipts say, decoded by
 * the interface, beside their bytes, by which alone they can be believed. Nothing is verified here.
 */
import { OnusError } from '@onus/protocol/errors'
import { decodeResults } from '@onus/protocol/gatewayMessages'
import type { Hasher } from '@onus/protocol/hash'
import { decodeOutput } from '@onus/protocol/interface/call'
import type { Entry, Interface } from '@onus/protocol/interface/description'
import { type JsonValue, toJsonValue } from '@onus/protocol/interface/jsonValue'
import { decodeReceiptProof, type Receipt, receiptStatus, rejectionCode } from '@onus/protocol/receipt'
import { certificateJson, hex } from './certificateJson.js'
import { trapHint } from './trapHint.js'

/** What a node knows beside certificates and receipts. */
export interface BlockReader {
  /** The entry that a transaction called; null of an opening. */
  entryAt(height: number, index: number): Entry | null
  /** What a call said before it trapped, or null. */
  detail(height: number, index: number): string | null
}

export interface JsonContext {
  readonly hasher: Hasher
  readonly description: Interface
  /** Addresses in the order by which certificates name signers. */
  readonly members: readonly Uint8Array[]
  readonly blocks: BlockReader
  /** Most bytes of the binary form: decoding happens on the event loop. */
  readonly maximumBytes: number
}

const statusNames: Readonly<Record<number, string>> = {
  [receiptStatus.executed]: 'executed',
  [receiptStatus.trapped]: 'trapped',
  [receiptStatus.rejected]: 'rejected',
}
const rejectionNames: ReadonlyMap<number, string> = new Map(
  Object.entries(rejectionCode).map(([name, code]) => [code, name]),
)

/** Rejects `json-too-large`. */
export function checkJsonSize(bytes: number, most: number): void {
  if (bytes > most)
    throw new OnusError('json-too-large', `the answer has ${bytes} bytes; as JSON at most ${most} are given`, {
      remedy: 'ask with accept: application/octet-stream',
    })
}

/** An event of an output by its fields' names. */
export function eventJson(
  description: Interface,
  event: { readonly name: string; readonly value: Readonly<Record<string, unknown>> },
): { readonly name: string; readonly value: JsonValue } {
  const fields = description.events?.find(({ name }) => name === event.name)?.fields ?? []
  return {
    name: event.name,
    value: Object.fromEntries(
      fields.map(([field, type]) => [field, toJsonValue(description, type, event.value[field])]),
    ),
  }
}

/** `value` is null of an entry without result; both are left out where the output is not of the described type. */
function outputJson(description: Interface, entry: Entry, output: Uint8Array): Record<string, JsonValue> {
  try {
    const { value, events } = decodeOutput(description, entry.name, output)
    return {
      value: entry.result === null ? null : toJsonValue(description, entry.result, value),
      events: events.map((event) => ({ ...eventJson(description, event) })),
    }
  } catch (error) {
    if (!(error instanceof OnusError)) throw error
    return { undecodable: error.message }
  }
}

function receiptFields(context: JsonContext, receipt: Receipt, entry: Entry | null): Record<string, JsonValue> {
  const { status, rejection, gasUsed, output } = receipt
  const isDecoded = status === receiptStatus.executed && entry !== null
  return {
    transactionId: hex(receipt.transactionId),
    status: statusNames[status] ?? String(status),
    rejection: status === receiptStatus.rejected ? (rejectionNames.get(rejection) ?? String(rejection)) : null,
    gasUsed,
    entry: entry?.name ?? null,
    ...(isDecoded ? outputJson(context.description, entry, output) : {}),
    output: hex(output),
  }
}

function receiptJson(context: JsonContext, bytes: Uint8Array): JsonValue {
  const { height, index, receipt, siblings } = decodeReceiptProof(bytes)
  const detail = context.blocks.detail(height, index)
  return {
    height,
    index,
    ...receiptFields(context, receipt, context.blocks.entryAt(height, index)),
    siblings: hex(siblings),
    ...(detail === null ? {} : { hint: { ...trapHint(detail) } }),
    bytes: hex(bytes),
  }
}

/** `{certificates, receipts}` of encoded results. Rejects `json-too-large`. */
export function resultsJson(context: JsonContext, bytes: Uint8Array): JsonValue {
  checkJsonSize(bytes.length, context.maximumBytes)
  const { certificates, receipts } = decodeResults(bytes)
  return {
    certificates: certificates.map((each) => certificateJson(context.hasher, context.members, each)),
    receipts: receipts.map((each) => receiptJson(context, each)),
  }
}
