/** A call from its issue to its end: the request, its one counter, the ids of its signed forms, and who waits for it. */
import { toHex } from '@onus/protocol/bytes'
import { OnusError } from '@onus/protocol/errors'
import type { Cargo } from './carryEnvelope.js'
import { NoNodeError } from './clientErrors.js'
import type { DeliveredReceipt } from './reports.js'

export class PendingCall {
  /** Selector and arguments. */
  readonly argument: Uint8Array
  /** Most gas that it may use. */
  readonly gasLimit: number
  /** `performance.now()`. */
  readonly issuedAt: number = performance.now()
  /** In its session; -1 before it has one. */
  counter = -1
  /** Ids of its signed forms: one, and one more for each time that it was signed again with another expiry. */
  readonly ids: Uint8Array[] = []
  /** The envelope of the last form. */
  cargo: Cargo | null = null
  /** 64 hexadecimal digits: id of the first form, once it is signed. */
  readonly id: Promise<string>
  readonly certified: Promise<DeliveredReceipt>
  readonly #onEnd: (() => void)[] = []
  readonly #timer: ReturnType<typeof setTimeout>
  #resolveId: (id: string) => void = () => undefined
  #rejectId: (error: unknown) => void = () => undefined
  #resolve: (delivered: DeliveredReceipt) => void = () => undefined
  #reject: (error: unknown) => void = () => undefined
  #isOpen = true

  /** `onDeadline` gives the error after `timeout` milliseconds. */
  constructor(argument: Uint8Array, gasLimit: number, timeout: number, onDeadline: (call: PendingCall) => OnusError) {
    this.argument = argument
    this.gasLimit = gasLimit
    this.id = new Promise((resolve, reject) => {
      this.#resolveId = resolve
      this.#rejectId = reject
    })
    this.certified = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Whoever does not ask for the outcome must not get an unhandled rejection.
    this.id.catch(() => undefined)
    this.certified.catch(() => undefined)
    this.#timer = setTimeout(() => this.fail(onDeadline(this)), timeout)
  }

  /** Whether somebody still waits. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  onEnd(listener: () => void): void {
    this.#onEnd.push(listener)
  }

  /** The call was signed (again) as part of `cargo`. */
  signed(id: Uint8Array, cargo: Cargo): void {
    this.ids.push(id)
    this.cargo = cargo
    this.#resolveId(toHex(id))
  }

  settle(delivered: DeliveredReceipt): void {
    if (this.#end()) this.#resolve(delivered)
  }

  fail(error: unknown): void {
    if (!this.#end()) return
    this.#rejectId(error)
    this.#reject(error)
  }

  #end(): boolean {
    if (!this.#isOpen) return false
    this.#isOpen = false
    clearTimeout(this.#timer)
    for (const listener of this.#onEnd) listener()
    return true
  }
}

/** The error of a call without an outcome in time; `trouble` is what stood in the way before it was signed. */
export function deadlineError(call: PendingCall, timeout: number, trouble: OnusError | null): OnusError {
  const { cargo } = call
  if (cargo === null)
    return trouble ?? new OnusError('deadline', `the call could not be sent within ${timeout} ms; it was not signed`)
  const { height, time } = cargo.expiry
  const failures = cargo.trouble?.failures ?? []
  const cause = new NoNodeError('POST /v1/envelopes', failures)
  const until = `it may still execute up to block ${height} and block time ${time}`
  if (failures.length > 0 && failures.every(({ kind }) => kind !== 'refused'))
    return new NoNodeError('POST /v1/envelopes', failures, {
      remedy: `check the nodes; ${until}`,
    })
  return new OnusError('outcome-unknown', `no certified outcome within ${timeout} ms; ${until}`, {
    remedy: 'ask for the receipt of its id later',
    cause,
  })
}
