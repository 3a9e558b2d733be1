/** The ledger's numbers and its requests, typed by the generated description. */
import { randomInt } from 'node:crypto'
import { encodeCall } from '@onus/protocol/interface/call'
import { signatureLength } from '@onus/protocol/signature'
import { callHeaderLength } from '@onus/protocol/transaction'
import { ledger } from './ledger.interface.js'

/** As in `assembly/ledger.ts`. */
export const accountCount = 100_000
const firstBalance = 1_000_000_000n
export const totalBalance: bigint = BigInt(accountCount) * firstBalance

/** Most gas of a transfer. One uses about 500; the first, which collects what the start left, 9,000. */
export const transferGas = 500_000

export interface Transfer {
  readonly from: number
  readonly to: number
  readonly amount: bigint
}

/** A transfer of 1 between two accounts drawn at random, so small that no balance runs out. */
export function randomTransfer(): Transfer {
  return { from: randomInt(accountCount), to: randomInt(accountCount), amount: 1n }
}

export function encodeTransfer({ from, to, amount }: Transfer): Uint8Array {
  return encodeCall(ledger, 'transfer', [from, to, amount])
}

export function encodeBalanceQuery(): Uint8Array {
  return encodeCall(ledger, 'balance', [randomInt(accountCount)])
}

/** Bytes of an envelope with one transfer: kind, count and length before the call, signature behind it. */
export const envelopeBytes: number =
  7 + callHeaderLength + encodeTransfer({ from: 0, to: 0, amount: 0n }).length + signatureLength
