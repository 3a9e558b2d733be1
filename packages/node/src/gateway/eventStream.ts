/**
 * One reader of events: walks the certified blocks behind its cursor and writes Server-Sent Events. Blocks are read only
 * as fast as the reader takes them, so what waits for it is bounded; one that takes nothing for long is sent away and
 * may come back with its cursor.
 */
import type { ServerResponse } from 'node:http'
import { toHex } from '@onus/protocol/bytes'
import { assert } from '@onus/protocol/errors'
import type { StoredBlock } from '../store/store.js'
import type { BlockEvents, ReceiptEvents } from './blockEvents.js'
import { hex } from './certificateJson.js'
import { cursorText, type EventCursor, endOfBlock, isEndOfBlock, isSeen } from './eventCursor.js'
import { callBody } from './placedCall.js'
import type { EventLimits } from './settings.js'

/** What a stream reads of the node. */
export interface CertifiedBlocks {
  /** Newest decided height, with or without content. */
  height(): number
  /** Height of the newest certificate; 0 before the first. */
  certifiedHeight(): number
  /** null for a height without content, and for one not decided yet. */
  block(height: number): StoredBlock | null
  certificate(height: number): Uint8Array | null
  receiptProof(height: number, index: number): Uint8Array | null
  /** Calls `listener` after each new certificate. Gives the function that takes it back. */
  onCertified(listener: (transactions: number) => void): () => void
}

export interface EventStreamOptions {
  readonly blocks: CertifiedBlocks
  readonly events: BlockEvents
  readonly limits: EventLimits
  readonly from: EventCursor
  /** Names of the events to send; null for all. */
  readonly names: ReadonlySet<string> | null
  /** Whether the items carry values, or the receipts alone do. */
  readonly values: boolean
}

/** Heights looked at in one turn of the event loop: those without content are passed in about 2 us each. */
const heightsATurn = 1000
/** Milliseconds of work before others get their turn, and characters that are written at once. */
const slice = 3
const writeLength = 32_768

export class EventStream {
  readonly #options: EventStreamOptions
  readonly #response: ServerResponse
  #cursor: EventCursor
  #certificateSent = 0
  #isOpen = true
  /** Certificates and heartbeats since the start. */
  #news = 0
  #wake: () => void = () => undefined

  constructor(response: ServerResponse, options: EventStreamOptions) {
    this.#response = response
    this.#options = options
    this.#cursor = options.from
  }

  /** Resolves at the end of the stream: `gone` when the reader left or was told to, `slow` when it took nothing. */
  async run(): Promise<'gone' | 'slow'> {
    const { blocks, limits } = this.#options
    const takeBack = blocks.onCertified(() => this.#announce())
    const heartbeat = setInterval(() => this.#beat(), limits.heartbeatSeconds * 1000)
    const onClose = (): void => this.#end()
    this.#response.on('close', onClose)
    this.#response.on('error', onClose)
    try {
      this.#write('retry: 1000\n\n')
      while (this.#isOpen) {
        const known = this.#news
        const isFresh = await this.#advance()
        if (this.#isOpen && !(await this.#hasRoom())) return 'slow'
        if (this.#isOpen && !isFresh) await this.#newsAfter(known)
      }
      return 'gone'
    } finally {
      takeBack()
      clearInterval(heartbeat)
      this.#end()
    }
  }

  /** Ends the stream with a reason that the reader sees, if it still reads. */
  close(code: string, message: string): void {
    this.#write(`event: closed\ndata: ${JSON.stringify({ code, message })}\n\n`)
    this.#response.end()
    const { socket } = this.#response
    setTimeout(() => socket?.destroy(), 1000).unref()
    this.#end()
  }

  #end(): void {
    this.#isOpen = false
    this.#wake()
  }

  #announce(): void {
    this.#news += 1
    this.#wake()
  }

  #write(text: string): void {
    if (!this.#response.writableEnded && !this.#response.destroyed) this.#response.write(text)
  }

  /** A line that says that the connection lives, and where the reader stands. */
  #beat(): void {
    const isAtEnd = isEndOfBlock(this.#cursor)
    this.#write(`: ${this.#cursor.height}\n${isAtEnd ? `id: ${cursorText(this.#cursor)}\n` : ''}\n`)
    // Heights without content have no certificate to wake for, and a cursor that stays behind them grows old.
    this.#announce()
  }

  /** Resolves once there was news beyond `known`, also while nobody waited for it, or at the end. */
  #newsAfter(known: number): Promise<void> {
    if (this.#news !== known) return Promise.resolve()
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  /** Whether the buffer has room, after waiting for it; false when the reader takes nothing. */
  #hasRoom(): Promise<boolean> {
    const response = this.#response
    const { bufferBytes, stallSeconds } = this.#options.limits
    if (response.writableLength < bufferBytes) return Promise.resolve(true)
    return new Promise((resolve) => {
      let left = response.writableLength
      const settle = (hasRoom: boolean): void => {
        clearInterval(timer)
        resolve(hasRoom)
      }
      // A reader that takes a little lives: only one that takes nothing is sent away.
      let stalled = 0
      const timer = setInterval(() => {
        if (!this.#isOpen || response.writableLength < bufferBytes) return settle(true)
        stalled = response.writableLength < left ? 0 : stalled + 50
        left = response.writableLength
        if (stalled >= stallSeconds * 1000) settle(false)
      }, 50)
    })
  }

  /** Goes on for one turn; whether there may be more at once. */
  async #advance(): Promise<boolean> {
    const { blocks } = this.#options
    const head = blocks.height()
    for (let looked = 0; looked < heightsATurn; looked++) {
      const height = isEndOfBlock(this.#cursor) ? this.#cursor.height + 1 : this.#cursor.height
      if (height > head) return false
      const block = blocks.block(height)
      if (block !== null) {
        const certificate = blocks.certificate(height)
        if (certificate === null) return false
        if (!(await this.#sendBlock(height, block, certificate))) return true
        this.#cursor = endOfBlock(height)
        return true
      }
      this.#cursor = endOfBlock(height)
    }
    await new Promise((resolve) => setImmediate(resolve))
    return true
  }

  /** Whether the whole block was sent; false when the buffer filled before. */
  async #sendBlock(height: number, block: StoredBlock, certificate: Uint8Array): Promise<boolean> {
    const receipts = await this.#options.events.of(height, block)
    let text = ''
    let until = performance.now() + slice
    for (const receipt of receipts) {
      if (!this.#isOpen) return false
      text += this.#take(height, block, receipt, certificate)
      if (text.length < writeLength && performance.now() < until) continue
      this.#write(text)
      text = ''
      if (this.#response.writableLength >= this.#options.limits.bufferBytes) return false
      await new Promise((resolve) => setImmediate(resolve))
      until = performance.now() + slice
    }
    if (text !== '') this.#write(text)
    return true
  }

  /** Messages of what is not seen yet of a transaction's events, which then are. */
  #take(height: number, block: StoredBlock, receipt: ReceiptEvents, certificate: Uint8Array): string {
    const { blocks, names, values } = this.#options
    const { index, events } = receipt
    const items = (events ?? [{ name: null, json: 'null' }])
      .map(({ name, json }, event) => ({ name, json, event }))
      .filter(({ name }) => names === null || name === null || names.has(name))
      .filter(({ event }) => !isSeen(this.#cursor, height, index, event))
    if (items.length === 0) return ''
    const proof = blocks.receiptProof(height, index)
    const body = callBody(block.blockData, index)
    assert(proof !== null && body !== null, 'a call with events has a receipt and a body')
    let text = ''
    if (this.#certificateSent !== height)
      text += message('certificate', `{"height":${height},"bytes":"${hex(certificate)}"}`)
    this.#certificateSent = height
    text += message('receipt', `{"height":${height},"index":${index},"bytes":"${hex(proof)}","body":"${hex(body)}"}`)
    const transactionId = toHex(receipt.transactionId)
    for (const { name, json, event } of items) {
      const cursor = cursorText({ height, index, event })
      const value = name === null ? ',"undecoded":true' : values ? `,"value":${json}` : ''
      const data = `{"cursor":"${cursor}","name":${JSON.stringify(name)},"transactionId":"0x${transactionId}"${value}}`
      text += `id: ${cursor}\n${message('event', data)}`
    }
    const last = items[items.length - 1] as (typeof items)[number]
    this.#cursor = { height, index, event: last.event }
    return text
  }
}

/** JSON has no line breaks outside its texts, and escapes them inside. */
function message(type: string, json: string): string {
  return `event: ${type}\ndata: ${json}\n\n`
}
