/**
 * The events of certified blocks, read from the outputs of their receipts once for all streams. Work is done in slices
 * so that the event loop goes on; an output too large for that is not looked into, and its reader decodes it.
 */
import { OnusError } from '@onus/protocol/errors'
import { decodeOutput } from '@onus/protocol/interface/call'
import type { Interface } from '@onus/protocol/interface/description'
import { receiptStatus } from '@onus/protocol/receipt'
import { receiptAt } from '../store/receiptList.js'
import type { StoredBlock } from '../store/store.js'
import { entryOfTransaction } from './placedCall.js'
import { eventJson } from './resultsJson.js'

export interface ReadEvent {
  readonly name: string
  /** JSON text of the value. */
  readonly json: string
}

/** A transaction with events. */
export interface ReceiptEvents {
  readonly index: number
  /** 32 bytes. */
  readonly transactionId: Uint8Array
  /** null where the output is too large to be looked into here: there may be events. */
  readonly events: readonly ReadEvent[] | null
}

const blocksKept = 8
/** Milliseconds of work before others get their turn. */
const slice = 3

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export class BlockEvents {
  readonly #description: Interface
  readonly #maximumOutput: number
  readonly #read = new Map<number, Promise<readonly ReceiptEvents[]>>()

  /** Outputs of more than `maximumOutput` bytes are not decoded. */
  constructor(description: Interface, maximumOutput: number) {
    this.#description = description
    this.#maximumOutput = maximumOutput
  }

  /** The transactions of a block that have events, in order. */
  of(height: number, block: StoredBlock): Promise<readonly ReceiptEvents[]> {
    const known = this.#read.get(height)
    if (known !== undefined) return known
    const reading = this.#readBlock(block)
    this.#read.set(height, reading)
    for (const oldest of this.#read.keys()) {
      if (this.#read.size <= blocksKept) break
      this.#read.delete(oldest)
    }
    return reading
  }

  async #readBlock(block: StoredBlock): Promise<readonly ReceiptEvents[]> {
    const found: ReceiptEvents[] = []
    let until = performance.now() + slice
    for (let index = 0; index + 1 < block.offsets.length; index++) {
      const read = this.#readReceipt(block, index)
      if (read !== null) found.push(read)
      if (performance.now() < until) continue
      await nextTurn()
      until = performance.now() + slice
    }
    return found
  }

  #readReceipt(block: StoredBlock, index: number): ReceiptEvents | null {
    const { status, output, transactionId } = receiptAt(block, index)
    if (status !== receiptStatus.executed || output.length === 0) return null
    const entry = entryOfTransaction(this.#description, block.blockData, index)
    if (entry === null) return null
    if (output.length > this.#maximumOutput) return { index, transactionId, events: null }
    try {
      const { events } = decodeOutput(this.#description, entry.name, output)
      if (events.length === 0) return null
      const read = events.map((event) => {
        const { name, value } = eventJson(this.#description, event)
        return { name, json: JSON.stringify(value) }
      })
      return { index, transactionId, events: read }
    } catch (error) {
      // A backend that puts out what is not of its interface has no events that anyone could read.
      if (error instanceof OnusError) return null
      throw error
    }
  }
}
