/**
 * Envelopes on their way between threads: their bytes one after the other, for one message with one buffer costs a
 * twentieth of a message with an object for each (measured with 132-byte envelopes).
 */
export interface EnvelopeBatch {
  readonly bytes: Uint8Array
  /** Where each envelope ends in `bytes`. */
  readonly ends: Uint32Array
  /** The gateway that took each: 0 this one, others by their place among the peers from 1. */
  readonly origins: Uint8Array
}

/** A batch whose envelopes were looked at by the signature worker. */
export interface SignedBatch extends EnvelopeBatch {
  /** Addresses of the signers, 20 bytes each; zeros where no valid signature stands. */
  readonly signers: Uint8Array
  /** 1 for each envelope that is well formed and validly signed. */
  readonly valid: Uint8Array
  /** Ids of the transactions of the valid envelopes, 32 bytes each. */
  readonly ids: Uint8Array
}

export function packEnvelopes(envelopes: readonly Uint8Array[], origins: readonly number[]): EnvelopeBatch {
  const ends = new Uint32Array(envelopes.length)
  let length = 0
  envelopes.forEach((envelope, index) => {
    length += envelope.length
    ends[index] = length
  })
  const bytes = new Uint8Array(length)
  envelopes.forEach((envelope, index) => {
    bytes.set(envelope, (ends[index] as number) - envelope.length)
  })
  return { bytes, ends, origins: Uint8Array.from(origins) }
}

/** The envelopes of a batch, as views. */
export function unpackEnvelopes({ bytes, ends }: Pick<EnvelopeBatch, 'bytes' | 'ends'>): Uint8Array[] {
  let start = 0
  return Array.from(ends, (end) => {
    const envelope = bytes.subarray(start, end)
    start = end
    return envelope
  })
}
