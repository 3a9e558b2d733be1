/**
 * Keys of the links between gateways: each node has a secp256k1 link key; two nodes share HMAC-SHA-256 of their ECDH
 * secret, bound to the chain, as the pre-shared key of a TLS 1.2 ECDHE-PSK connection. So both ends are authenticated
 * and the stream is encrypted with forward secrecy, without certificates.
 */
import { createECDH, createHmac } from 'node:crypto'
import { OnusError } from '@onus/protocol/errors'

export const linkCiphers = 'ECDHE-PSK-CHACHA20-POLY1305'

/** 32 bytes that only the holders of the two keys can compute. Rejects `link-key` on a key that is no point. */
export function sharedLinkKey(chainId: string, privateKey: Uint8Array, peerPublicKey: Uint8Array): Buffer {
  const ecdh = createECDH('secp256k1')
  try {
    ecdh.setPrivateKey(privateKey)
    return createHmac('sha256', ecdh.computeSecret(peerPublicKey)).update(`onus/link/1 ${chainId}`).digest()
  } catch (cause) {
    throw new OnusError('link-key', 'a link key must be a compressed secp256k1 point', { cause })
  }
}
