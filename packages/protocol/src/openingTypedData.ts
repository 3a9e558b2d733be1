/**
 * The opening of a session as EIP-712 typed data, so that a wallet shows its fields by name (`spec/transaction.md` 4):
 * domain {name "Onus", version "1", chainId of the registry's chain, salt = cluster id}.
 */
import { concatBytes, utf8Bytes, wordOfBytes, wordOfInteger } from './bytes.js'
import type { ClusterDomain } from './chainId.js'
import type { Hasher } from './hash.js'
import type { Opening } from './opening.js'

const domainType = 'EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)'
const openingType =
  'OpenSession(uint64 epoch,address owner,address key,uint32 slot,uint32 generation,' +
  'uint64 closesAfterHeight,uint64 closesAfterTime,uint64 expiresAfterHeight,uint64 expiresAfterTime,bytes admission)'

/** keccak256(1901 ‖ domain separator ‖ struct hash), 32 bytes. */
export function openingTypedDataDigest(hasher: Hasher, domain: ClusterDomain, opening: Opening): Uint8Array {
  const text = (value: string): Uint8Array => hasher.keccak256(utf8Bytes(value))
  const separator = hasher.keccak256(
    concatBytes(text(domainType), text('Onus'), text('1'), wordOfInteger(domain.ethereumChainId), domain.clusterId),
  )
  const struct = hasher.keccak256(
    concatBytes(
      text(openingType),
      wordOfInteger(domain.epoch),
      wordOfBytes(opening.owner),
      wordOfBytes(opening.key),
      wordOfInteger(opening.session.slot),
      wordOfInteger(opening.session.generation),
      wordOfInteger(opening.closes.height),
      wordOfInteger(opening.closes.time),
      wordOfInteger(opening.expiry.height),
      wordOfInteger(opening.expiry.time),
      hasher.keccak256(opening.admission),
    ),
  )
  return hasher.keccak256(concatBytes(Uint8Array.of(0x19, 0x01), separator, struct))
}
