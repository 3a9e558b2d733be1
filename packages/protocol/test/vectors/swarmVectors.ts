/** Vectors of Swarm addresses, signatures and code references. */
import { codeReference } from '../../src/code.js'
import { nobleHasher } from '../../src/hash.js'
import { addressOf, nobleCurve, publicKeyOf } from '../../src/signature.js'
import { chunkAddress, segmentProof, swarmReference } from '../../src/swarm.js'
import { mirrored } from '../support/naiveCurve.js'
import { seededHash, seededKey } from '../support/seeded.js'
import { jsonOf, type VectorFile } from './vectorFile.js'

/** The content that `spec/vectors/swarm.json` names, as the shared vectors of a real Bee do. */
export function patternBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++) bytes[i] = Math.imul(Math.imul(i, i), 31) + Math.imul(i, 7) + size
  return bytes
}

export function swarmVectors(): VectorFile {
  const sizes = [0, 1, 31, 32, 33, 64, 4095, 4096, 4097, 8192, 40_000, 524_288, 524_289, 528_384, 528_416]
  const references = sizes.map((size) => ({ size, reference: swarmReference(nobleHasher, patternBytes(size)) }))
  const chunks = [0, 1, 100, 4096].map((size) => {
    const payload = patternBytes(size)
    const padded = new Uint8Array(4096)
    padded.set(payload)
    const proofs = [0, 1, 3, 64, 127].map((index) => ({
      index,
      segment: padded.slice(32 * index, 32 * index + 32),
      siblings: segmentProof(nobleHasher, payload, index),
    }))
    return { size, span: size, address: chunkAddress(nobleHasher, payload), proofs }
  })
  return {
    note: 'spec/block-data.md 3. Content of size n: byte i is (i*i*31 + i*7 + n) & 255 with 32-bit wrapping products. 524,289 bytes have a lone last chunk, 528,416 are the padded form of 524,289 to 528,384. Siblings from the bottom up: 7 x 32 bytes.',
    ...(jsonOf({ references, chunks }) as object),
  }
}

export function signatureVectors(): VectorFile {
  const cases = Array.from({ length: 6 }, (_, index) => {
    const privateKey = seededKey(`signer ${index}`)
    const publicKey = publicKeyOf(privateKey)
    const digest = seededHash(`digest ${index}`)
    return {
      privateKey,
      publicKey,
      address: addressOf(publicKey),
      digest,
      signature: nobleCurve.sign(digest, privateKey),
    }
  })
  const [first] = cases as [(typeof cases)[number]]
  const other = (change: (copy: Uint8Array) => void): Uint8Array => {
    const copy = first.signature.slice()
    change(copy)
    return copy
  }
  const refused = [
    { what: 'S mirrored and V flipped: the same signer, another encoding', signature: mirrored(first.signature) },
    { what: 'the other V', signature: other((copy) => copy.set([(copy[64] as number) ^ 1], 64)) },
    { what: 'V of 27 or 28', signature: other((copy) => copy.set([27 + (copy[64] as number)], 64)) },
    { what: 'S of zero', signature: other((copy) => copy.fill(0, 32, 64)) },
    { what: 'R of zero', signature: other((copy) => copy.fill(0, 0, 32)) },
    { what: 'R above the order', signature: other((copy) => copy.fill(0xff, 0, 32)) },
    { what: '64 bytes', signature: first.signature.subarray(0, 64) },
  ].map((entry) => ({ ...entry, digest: first.digest, publicKey: first.publicKey }))
  return {
    note: 'spec/encoding.md 3. secp256k1 signatures R, S, V over 32-byte digests, deterministic (RFC 6979). `refused` ones must not count as signatures of the public key.',
    ...(jsonOf({ cases, refused }) as object),
  }
}

export function codeVectors(): VectorFile {
  const cases = [1, 2].map((loweringVersion) => {
    const parts = {
      moduleReference: seededHash('module'),
      meteredHash: seededHash('metered'),
      loweringVersion,
      maximumMemoryPages: 4096 / loweringVersion,
    }
    return { ...parts, codeReference: codeReference(nobleHasher, parts) }
  })
  return {
    note: 'spec/manifest.md 4. The code reference of a module: Swarm reference of the module, SHA-256 of the metered module M1, lowering version, memory limit in pages of 64 KiB.',
    ...(jsonOf({ cases }) as object),
  }
}
