/** Bytes that look random and are the same in every run and on every machine: SHA-256 of a label and a counter. */
import { createHash } from 'node:crypto'

export function seededBytes(label: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0, counter = 0; at < length; at += 32, counter++) {
    const block = createHash('sha256').update(`${label}/${counter}`).digest()
    bytes.set(block.subarray(0, Math.min(32, length - at)), at)
  }
  return bytes
}

/** A private key that no one should use for anything else: its label is in the open. */
export function seededKey(label: string): Uint8Array {
  return seededBytes(`key ${label}`, 32)
}

export function seededHash(label: string): Uint8Array {
  return seededBytes(`hash ${label}`, 32)
}
