/**
 * The key by which CometBFT processes know each other (ed25519, nothing to do with votes) and the node id made of it.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { assert, OnusError } from '@onus/protocol/errors'

export interface NodeKey {
  /** 40 hexadecimal digits: the start of SHA-256 of the public key. */
  readonly nodeId: string
  /** 32 bytes. */
  readonly seed: Uint8Array
  /** Text of node_key.json. */
  readonly text: string
}

/** PKCS #8 of an ed25519 seed up to the seed (RFC 8410). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const seedLength = 32

/** The node key of a seed of 32 random bytes. Rejects `node-key` on another length. */
export function nodeKeyOf(seed: Uint8Array): NodeKey {
  if (seed.length !== seedLength) throw new OnusError('node-key', `expected a seed of 32 bytes, got ${seed.length}`)
  const privateKey = createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32)
  const value = Buffer.concat([seed, publicKey]).toString('base64')
  return {
    nodeId: createHash('sha256').update(publicKey).digest('hex').slice(0, 40),
    seed,
    text: `${JSON.stringify({ priv_key: { type: 'tendermint/PrivKeyEd25519', value } })}\n`,
  }
}

export function randomNodeKey(): NodeKey {
  const der = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' })
  assert(der.length === pkcs8Prefix.length + seedLength, 'PKCS #8 of an ed25519 key has 48 bytes')
  return nodeKeyOf(new Uint8Array(der.subarray(-seedLength)))
}
