/**
 * Accounts that open sessions: a private key that signs openings and calls itself, or a wallet that is asked once, by
 * EIP-712 typed data, to let a fresh key sign the calls (`spec/transaction.md` 4).
 */
import { equalBytes, fromHex, toHex } from '@onus/protocol/bytes'
import type { ClusterDomain } from '@onus/protocol/chainId'
import { OnusError } from '@onus/protocol/errors'
import type { Opening } from '@onus/protocol/opening'
import {
  addressOf,
  isCanonicalSignature,
  publicKeyOf,
  randomPrivateKey,
  signatureLength,
} from '@onus/protocol/signature'
import {
  type Envelope,
  encodeTransaction,
  envelopeDigest,
  envelopeKind,
  signEnvelope,
} from '@onus/protocol/transaction'
import type { TrustedCluster } from './trust.js'

/** Typed data as `eth_signTypedData_v4` and viem take it; 64-bit integers are bigint. */
export interface OpeningTypedData {
  readonly domain: {
    readonly name: string
    readonly version: string
    readonly chainId: number
    readonly salt: `0x${string}`
  }
  readonly types: { readonly OpenSession: readonly { readonly name: string; readonly type: string }[] }
  readonly primaryType: 'OpenSession'
  readonly message: Readonly<Record<string, string | bigint | number>>
}

export interface WalletAccount {
  /** 20 bytes as `0x` and 40 digits. */
  readonly address: string
  /** The signature as `0x` and 130 digits, V of 0, 1, 27 or 28. */
  signTypedData(data: OpeningTypedData): Promise<string>
}

export type Account =
  | { readonly kind: 'key'; readonly address: Uint8Array; readonly privateKey: Uint8Array }
  | { readonly kind: 'wallet'; readonly address: Uint8Array; readonly wallet: WalletAccount }

/** Rejects `account-key` on bytes that are no private key, `account-address` on a wallet's malformed address. */
export function accountOf(given: Uint8Array | WalletAccount | undefined): Account {
  const privateKey = given ?? randomPrivateKey()
  if (privateKey instanceof Uint8Array) return { kind: 'key', privateKey, address: addressOfKey(privateKey) }
  if (!/^0x[0-9a-fA-F]{40}$/.test(privateKey.address))
    throw new OnusError('account-address', 'expected 0x and 40 hexadecimal digits')
  return { kind: 'wallet', address: fromHex(privateKey.address), wallet: privateKey }
}

/** Address (20 bytes) of a private key. Rejects `account-key`. */
export function addressOfKey(privateKey: Uint8Array): Uint8Array {
  try {
    return addressOf(publicKeyOf(privateKey)).slice()
  } catch (cause) {
    throw new OnusError('account-key', 'expected a private key of 32 bytes', { cause })
  }
}

/** What a wallet shows and signs; its digest is that of `openingTypedData.ts` in the protocol. */
export function openingTypedData(domain: ClusterDomain, opening: Opening): OpeningTypedData {
  const field = (type: string, name: string): { name: string; type: string } => ({ name, type })
  return {
    domain: { name: 'Onus', version: '1', chainId: domain.ethereumChainId, salt: `0x${toHex(domain.clusterId)}` },
    primaryType: 'OpenSession',
    types: {
      OpenSession: [
        field('uint64', 'epoch'),
        field('address', 'owner'),
        field('address', 'key'),
        field('uint32', 'slot'),
        field('uint32', 'generation'),
        field('uint64', 'closesAfterHeight'),
        field('uint64', 'closesAfterTime'),
        field('uint64', 'expiresAfterHeight'),
        field('uint64', 'expiresAfterTime'),
        field('bytes', 'admission'),
      ],
    },
    message: {
      epoch: BigInt(domain.epoch),
      owner: `0x${toHex(opening.owner)}`,
      key: `0x${toHex(opening.key)}`,
      slot: opening.session.slot,
      generation: opening.session.generation,
      closesAfterHeight: BigInt(opening.closes.height),
      closesAfterTime: BigInt(opening.closes.time),
      expiresAfterHeight: BigInt(opening.expiry.height),
      expiresAfterTime: BigInt(opening.expiry.time),
      admission: `0x${toHex(opening.admission)}`,
    },
  }
}

/** R ‖ S ‖ V with V in {0, 1} of a wallet's text. Rejects `wallet-signature`. */
function signatureOfText(text: string): Uint8Array {
  const signature = /^0x[0-9a-fA-F]{130}$/.test(text) ? fromHex(text) : new Uint8Array(0)
  const v = signature[signatureLength - 1]
  if (v === 27 || v === 28) signature[signatureLength - 1] = v - 27
  if (!isCanonicalSignature(signature))
    throw new OnusError('wallet-signature', 'expected 65 bytes R ‖ S ‖ V with S in the lower half')
  return signature
}

/** A signed opening and the private key that signs the session's calls. */
export interface SignedOpening {
  readonly envelope: Envelope
  readonly key: Uint8Array
}

async function signByWallet(trust: TrustedCluster, wallet: WalletAccount, opening: Opening): Promise<Envelope> {
  const kind = envelopeKind.typedOpening
  const unsigned = { kind, transactions: [opening], bodies: [encodeTransaction(opening)] }
  const signature = signatureOfText(await wallet.signTypedData(openingTypedData(trust.domain, opening)))
  const signer = trust.curve.recover(envelopeDigest(trust.hasher, trust.domain, unsigned, []), signature)
  if (signer === null || !equalBytes(addressOf(signer), opening.owner))
    throw new OnusError('wallet-signature', `the wallet did not sign as ${wallet.address}`, {
      remedy: 'select that account in the wallet',
    })
  return { ...unsigned, signature }
}

/** Signs an opening for `account`. Rejects `wallet-signature` and what the wallet rejects. */
export async function signOpening(
  trust: TrustedCluster,
  account: Account,
  plan: Omit<Opening, 'type' | 'owner' | 'key'>,
): Promise<SignedOpening> {
  const owner = account.address
  if (account.kind === 'key') {
    const opening: Opening = { type: 'opening', owner, key: owner, ...plan }
    const { hasher, curve, domain } = trust
    const envelope = signEnvelope(hasher, curve, domain, envelopeKind.accountOpening, [opening], account.privateKey)
    return { envelope, key: account.privateKey }
  }
  const key = randomPrivateKey()
  const opening: Opening = { type: 'opening', owner, key: addressOfKey(key), ...plan }
  return { envelope: await signByWallet(trust, account.wallet, opening), key }
}
