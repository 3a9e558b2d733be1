/**
 * The formats that a node of a later version must read (`spec/compatibility.md`): how each sample is written today, and
 * how the bytes of any version are read. A format that is new gets an entry here and its files by `write.ts`.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { decodePowerState, encodePowerState } from '@onus/node/powers/powerState'
import { nativeCurve } from '@onus/node/signer/nativeCurve'
import { Signer } from '@onus/node/signer/signer'
import { ExecutedBlocks } from '@onus/node/signer/signingPolicy'
import { Store } from '@onus/node/store/store'
import { BinaryReader } from '@onus/protocol/binary'
import { decodeBlockData } from '@onus/protocol/blockData'
import { Certificate, decodeCertificate, encodeCertificate } from '@onus/protocol/certificate'
import { decodeGenesis, encodeGenesis } from '@onus/protocol/genesis'
import { formatInterface, parseInterface } from '@onus/protocol/interface/parseInterface'
import { decodeManifest, encodeManifest } from '@onus/protocol/manifest'
import { decodeReceiptProof, encodeReceiptProof } from '@onus/protocol/receipt'
import { decodeEnvelope, encodeEnvelope } from '@onus/protocol/transaction'
import { ledger } from '../e2e/backend/ledger.interface.js'
import * as samples from './samples.js'

export interface Format {
  /** File name below a version's folder. */
  readonly name: string
  /** The sample as this version writes it. */
  readonly write: () => Uint8Array | Promise<Uint8Array>
  /** What bytes of any version mean. Rejects what this version cannot read. */
  readonly read: (bytes: Uint8Array) => unknown
}

async function withFile<Result>(
  name: string,
  bytes: Uint8Array,
  use: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'onus-formats-'))
  try {
    await writeFile(join(folder, name), bytes)
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Opens the file as a node does, so that the guard knows what was signed last. */
function readSignState(bytes: Uint8Array): Promise<unknown> {
  return withFile('sign-state', bytes, async (folder) => {
    const signer = await Signer.open({
      chainId: samples.signStateChain,
      privateKey: samples.signStateKey,
      policy: new ExecutedBlocks(),
      statePath: join(folder, 'sign-state'),
      create: false,
      firstHeight: 1,
    })
    const { last } = signer
    await signer.close()
    return last
  })
}

/** All that a node asks of a store of `fillStore`, of whichever version. */
export function readStore(gzipped: Uint8Array): Promise<unknown> {
  return withFile('data.mdb', gunzipSync(gzipped), async (folder) => {
    const store = new Store(folder)
    const { storedHeight, storedIds } = samples
    const meaning = {
      position: store.position,
      pages: [...store.pages()].map(([index, bytes]) => [index, bytes.slice()]),
      sessions: [...store.sessions()],
      block: store.block(storedHeight),
      contentHeight: store.contentHeight(storedHeight + 5),
      uncertified: store.uncertified(0),
      newestCertificate: store.newestCertificate,
      certificate: store.certificate(storedHeight),
      places: storedIds.map((id) => store.placeOf(id)),
      dissent: store.dissent,
    }
    await store.close()
    return meaning
  })
}

/** The certificate, and who signed it as a client finds by the sample's genesis. */
function readCertificate(bytes: Uint8Array): unknown {
  const decoded = decodeCertificate(bytes)
  const { signers, manifestHash } = Certificate.verify(samples.hashing, nativeCurve, decoded, samples.genesis)
  return { decoded, signers, manifestHash }
}

/** Formats whose bytes are the same in every run. */
export const formats: readonly Format[] = [
  { name: 'genesis.bin', write: () => encodeGenesis(samples.genesis), read: decodeGenesis },
  { name: 'envelope-opening.bin', write: () => encodeEnvelope(samples.envelopes[0] as never), read: decodeEnvelope },
  { name: 'envelope-calls.bin', write: () => encodeEnvelope(samples.envelopes[1] as never), read: decodeEnvelope },
  { name: 'block-data.bin', write: () => samples.blockData, read: decodeBlockData },
  { name: 'manifest.bin', write: () => encodeManifest(samples.manifest), read: decodeManifest },
  { name: 'certificate.bin', write: () => encodeCertificate(samples.certificate), read: readCertificate },
  { name: 'receipt.bin', write: () => encodeReceiptProof(samples.sampleReceiptProof()), read: decodeReceiptProof },
  { name: 'interface.json', write: () => formatInterface(ledger), read: parseInterface },
  {
    name: 'powers.bin',
    write: () => encodePowerState(samples.samplePowers()),
    // A node knows the height from the position beside it.
    read: (bytes) => decodePowerState(bytes, new BinaryReader(bytes.subarray(16), 'powers').u64('height'), 4),
  },
  { name: 'sign-state.bin', write: samples.sampleSignState, read: readSignState },
]

/** A store of `fillStore` in `folder`, closed. */
export async function writeStore(folder: string): Promise<void> {
  const store = new Store(folder)
  const powers = encodePowerState(samples.samplePowers())
  await samples.fillStore(store, encodeCertificate(samples.certificate), powers)
  await store.close()
}
