/** Ethereum addresses as text: `0x` and 40 hexadecimal digits; both cases mixed are the checksum of EIP-55. */
import { toHex, utf8Bytes } from '../bytes.js'
import { nobleHasher } from '../hash.js'

/** Whether `text` is an address in lower case, in upper case, or in mixed case with a right checksum. */
export function isAddressText(text: string): boolean {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return false
  const digits = text.slice(2)
  if (digits === digits.toLowerCase() || digits === digits.toUpperCase()) return true
  return checksumAddress(text) === text
}

/** The address with the checksum of EIP-55 in the case of its letters. `address` is 20 bytes in hexadecimal behind `0x`. */
export function checksumAddress(address: string): string {
  const digits = address.slice(2).toLowerCase()
  const hash = toHex(nobleHasher.keccak256(utf8Bytes(digits)))
  const cased = [...digits].map((digit, index) => ((hash[index] as string) >= '8' ? digit.toUpperCase() : digit))
  return `0x${cased.join('')}`
}
