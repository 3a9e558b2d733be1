/** EIP-712 types of an opening (`spec/transaction.md` 4), as a wallet gets them. */
import type { TypedTable } from './typedData.js'

export const openingTypes: TypedTable = {
  EIP712Domain: [
    { name: 'name', type: 'string' },
    { name: 'version', type: 'string' },
    { name: 'chainId', type: 'uint256' },
    { name: 'salt', type: 'bytes32' },
  ],
  OpenSession: [
    { name: 'epoch', type: 'uint64' },
    { name: 'owner', type: 'address' },
    { name: 'key', type: 'address' },
    { name: 'slot', type: 'uint32' },
    { name: 'generation', type: 'uint32' },
    { name: 'closesAfterHeight', type: 'uint64' },
    { name: 'closesAfterTime', type: 'uint64' },
    { name: 'expiresAfterHeight', type: 'uint64' },
    { name: 'expiresAfterTime', type: 'uint64' },
    { name: 'admission', type: 'bytes' },
  ],
}
