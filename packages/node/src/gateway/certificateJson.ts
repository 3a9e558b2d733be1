/** A certificate and its manifest as JSON (`spec/gateway.md` 4), with the bytes beside what they say. */
import { toHex } from '@onus/protocol/bytes'
import { decodeCertificate } from '@onus/protocol/certificate'
import type { Hasher } from '@onus/protocol/hash'
import { type BlockId, type Header, headerHash } from '@onus/protocol/header'
import type { JsonValue } from '@onus/protocol/interface/jsonValue'
import { decodeManifest, type Manifest, manifestHash } from '@onus/protocol/manifest'
import { nanosecondsOfTimestamp, type Timestamp } from '@onus/protocol/timestamp'

export function hex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`
}

/** ISO 8601 with nanoseconds. */
function timeText(time: Timestamp): string {
  const nanoseconds = String(nanosecondsOfTimestamp(time) % 1_000_000_000n).padStart(9, '0')
  return `${new Date(time.seconds * 1000).toISOString().slice(0, 19)}.${nanoseconds}Z`
}

function blockIdJson(id: BlockId | null): JsonValue {
  if (id === null) return null
  const { total, hash } = id.partSetHeader
  return { hash: hex(id.hash), parts: { total, hash: hex(hash) } }
}

function headerJson(hasher: Hasher, header: Header): JsonValue {
  return {
    hash: hex(headerHash(hasher, header)),
    versionBlock: header.versionBlock,
    versionApp: header.versionApp,
    chainId: header.chainId,
    height: header.height,
    time: timeText(header.time),
    lastBlockId: blockIdJson(header.lastBlockId),
    lastCommitHash: hex(header.lastCommitHash),
    dataHash: hex(header.dataHash),
    validatorsHash: hex(header.validatorsHash),
    nextValidatorsHash: hex(header.nextValidatorsHash),
    consensusHash: hex(header.consensusHash),
    appHash: hex(header.appHash),
    lastResultsHash: hex(header.lastResultsHash),
    evidenceHash: hex(header.evidenceHash),
    proposerAddress: hex(header.proposerAddress),
  }
}

/** Every field by its name; hashes in hexadecimal, times as text. */
function manifestJson(manifest: Manifest): JsonValue {
  const plain = (value: unknown): JsonValue => {
    if (value instanceof Uint8Array) return hex(value)
    if (typeof value === 'object' && value !== null) {
      if ('nanoseconds' in value) return timeText(value as Timestamp)
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
    }
    return value as JsonValue
  }
  return plain(manifest)
}

/** `members`: addresses in the order by which certificates name signers. Rejects what the decoders reject. */
export function certificateJson(hasher: Hasher, members: readonly Uint8Array[], bytes: Uint8Array): JsonValue {
  const { header, round, partSetHeader, signatures, manifest, itemCount, sealProof } = decodeCertificate(bytes)
  return {
    height: header.height,
    header: headerJson(hasher, header),
    round,
    parts: { total: partSetHeader.total, hash: hex(partSetHeader.hash) },
    signers: signatures.map(({ validator, timestamp, signature }) => ({
      address: toSigner(members[validator]),
      time: timeText(timestamp),
      signature: hex(signature),
    })),
    manifestHash: hex(manifestHash(hasher, manifest)),
    manifest: manifestJson(decodeManifest(manifest)),
    itemCount,
    sealProof: sealProof.map(hex),
    bytes: hex(bytes),
  }
}

function toSigner(address: Uint8Array | undefined): string | null {
  return address === undefined ? null : `0x${toHex(address)}`
}
