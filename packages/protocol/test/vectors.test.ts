/**
 * The files in `spec/vectors/`: the code reproduces each byte for byte, reads what they say by itself, and no file is
 * there that no test knows.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { BinaryReader } from '../src/binary.js'
import { decodeBlockData } from '../src/blockData.js'
import { fromHex, toHex } from '../src/bytes.js'
import { Certificate, decodeCertificate } from '../src/certificate.js'
import { checkLocalClusterId, decodeGenesis } from '../src/genesis.js'
import { nobleHasher } from '../src/hash.js'
import { decodeManifest, manifestHash, manifestOfSeal } from '../src/manifest.js'
import { decodeReceiptProof } from '../src/receipt.js'
import { addressOf, nobleCurve } from '../src/signature.js'
import { swarmReference } from '../src/swarm.js'
import { decodeEnvelope } from '../src/transaction.js'
import { readValidators } from '../src/validatorSet.js'
import { vectorText } from './generateVectors.js'
import { assertRejects } from './support/rejection.js'
import { readJson, repositoryRoot, vectorFolder } from './support/repository.js'
import { generatedVectors, recordedVectors } from './vectors/vectorFiles.js'

const read = <File>(name: string): File => readJson(join(vectorFolder, name)) as File

describe('reproduction', () => {
  for (const name of generatedVectors.keys())
    test(name, () => {
      const committed = readFileSync(join(vectorFolder, name), 'utf8')
      const text = vectorText(name)
      assert.deepEqual(JSON.parse(committed), JSON.parse(text))
      assert.equal(committed, text, 'the file was not written by generateVectors')
    })
})

/** Test sources of the repository, compiled output left out. */
function testSources(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return ['node_modules', 'dist', '.git'].includes(entry.name) ? [] : testSources(path)
    return /\/test\/.*\.(ts|mjs)$/.test(path) ? [path] : []
  })
}

test('every vector file is known to some test', () => {
  const known = new Set([...generatedVectors.keys(), ...recordedVectors])
  const others = readdirSync(vectorFolder).filter((name) => !known.has(name))
  const own = join('packages', 'protocol', 'test', 'vectors')
  const sources = testSources(repositoryRoot)
    .filter((path) => !path.includes(own))
    .map((path) => readFileSync(path, 'utf8'))
  for (const name of others) {
    const mentioned = sources.some((source) => source.includes(name))
    assert.ok(mentioned, `spec/vectors/${name} is used by no test: add one, or remove the file`)
  }
  for (const name of recordedVectors) assert.ok(existsSync(join(vectorFolder, name)), name)
})

describe('the files alone, as another implementation reads them', () => {
  const hasher = nobleHasher

  test('certificates: trusted by genesis and members, accepted with their receipts, or refused with the code', () => {
    interface File {
      readonly genesis: string
      readonly members: string
      readonly verified: readonly { certificate: string; receipt: string; manifestHash: string; headerHash: string }[]
      readonly refused: readonly { what: string; code: string; certificate: string }[]
    }
    const { genesis, members, verified, refused } = read<File>('certificate.json')
    const { clusterId, epoch } = decodeGenesis(fromHex(genesis))
    const reader = new BinaryReader(fromHex(members), 'members')
    reader.tag('onus/members/1\0\0')
    const membershipVersion = reader.u32('version')
    const trusted = { clusterId, epoch, membershipVersion, validators: readValidators(reader) }
    reader.finish()
    const verify = (certificate: string): Certificate =>
      Certificate.verify(hasher, nobleCurve, decodeCertificate(fromHex(certificate)), trusted)
    for (const entry of verified) {
      const certificate = verify(entry.certificate)
      assert.equal(toHex(certificate.manifestHash), entry.manifestHash)
      const proof = decodeReceiptProof(fromHex(entry.receipt))
      assert.deepEqual(certificate.verifyReceipt(proof), proof.receipt)
    }
    for (const { what, code, certificate } of refused) assertRejects(code, () => verify(certificate), what)
    assert.ok(verified.length >= 2 && refused.length >= 10)
  })

  test('envelopes recover to their signers over the digest that is given', () => {
    interface Case {
      readonly envelope: string
      readonly digest: string
      readonly signer: string
      readonly bodies: readonly string[]
    }
    for (const { envelope, digest, signer, bodies } of read<{ cases: readonly Case[] }>('transaction.json').cases) {
      const decoded = decodeEnvelope(fromHex(envelope))
      const publicKey = nobleCurve.recover(fromHex(digest), decoded.signature)
      assert.equal(toHex(addressOf(publicKey as Uint8Array)), signer)
      assert.deepEqual(decoded.bodies.map(toHex), bodies)
    }
  })

  test('block data, manifests and genesis files decode to what stands beside them', () => {
    interface BlockCase {
      readonly bytes: string
      readonly envelopes: readonly string[]
      readonly reference: string
    }
    for (const { bytes, envelopes, reference } of read<{ cases: readonly BlockCase[] }>('block-data.json').cases) {
      assert.deepEqual(decodeBlockData(fromHex(bytes)).envelopes.map(toHex), envelopes)
      assert.equal(toHex(swarmReference(hasher, fromHex(bytes))), reference)
    }
    interface ManifestCase {
      readonly bytes: string
      readonly hash: string
      readonly seal: string
    }
    for (const { bytes, hash, seal } of read<{ cases: readonly ManifestCase[] }>('manifest.json').cases) {
      decodeManifest(fromHex(bytes))
      assert.equal(toHex(manifestHash(hasher, fromHex(bytes))), hash)
      assert.equal(toHex(manifestOfSeal(fromHex(seal))), bytes)
    }
    for (const { bytes } of read<{ cases: readonly { bytes: string }[] }>('genesis.json').cases)
      checkLocalClusterId(hasher, decodeGenesis(fromHex(bytes)))
  })

  test('signatures that are refused are refused', () => {
    interface Case {
      readonly what?: string
      readonly digest: string
      readonly publicKey: string
      readonly signature: string
    }
    const { cases, refused } = read<{ cases: readonly Case[]; refused: readonly Case[] }>('signature.json')
    const verify = ({ digest, signature, publicKey }: Case): boolean =>
      nobleCurve.verify(fromHex(digest), fromHex(signature), fromHex(publicKey))
    for (const entry of cases) assert.equal(verify(entry), true)
    for (const entry of refused) assert.equal(verify(entry), false, entry.what)
    assert.ok(cases.length > 0 && refused.length > 0)
  })

  test('malformed bytes get their codes', () => {
    interface Case {
      readonly what: string
      readonly code: string
      readonly bytes: string
    }
    const decoders: Record<string, (bytes: Uint8Array) => unknown> = {
      envelope: decodeEnvelope,
      blockData: decodeBlockData,
      manifest: decodeManifest,
      seal: manifestOfSeal,
      genesis: decodeGenesis,
      certificate: decodeCertificate,
      receiptProof: decodeReceiptProof,
    }
    const { note, ...formats } = read<{ note: string } & Record<string, readonly Case[]>>('malformed.json')
    assert.ok(note.length > 0)
    assert.deepEqual(Object.keys(formats), Object.keys(decoders))
    for (const [format, cases] of Object.entries(formats))
      for (const { what, code, bytes } of cases)
        assertRejects(code, () => decoders[format]?.(fromHex(bytes)), `${format}: ${what}`)
  })
})
