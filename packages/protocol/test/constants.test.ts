/** `spec/constants.json` and the tables of `spec/` against the code. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { maximumBlockDataLength, maximumTransactionsPerBlock } from '../src/blockData.js'
import { wordLength } from '../src/bytes.js'
import { callInputHeaderLength } from '../src/callHeader.js'
import { clusterIdLength, localPrefixLength } from '../src/chainId.js'
import { blockIdFlag, voteType } from '../src/commit.js'
import { manifestLength, sealLength } from '../src/manifest.js'
import {
  maximumOutputLength,
  outputTreeDepth,
  receiptStatus,
  receiptsTreeDepth,
  rejectionCode,
} from '../src/receipt.js'
import { sessionTreeDepth } from '../src/session.js'
import { addressLength, publicKeyLength, signatureLength } from '../src/signature.js'
import { chunkLength, segmentsPerChunk } from '../src/swarm.js'
import { callHeaderLength, envelopeKind, maximumCallsPerEnvelope } from '../src/transaction.js'
import { maximumMembers } from '../src/validatorSet.js'
import { readJson, repositoryRoot } from './support/repository.js'

const specification = join(repositoryRoot, 'spec')
const text = (name: string): string => readFileSync(join(specification, name), 'utf8')

test('constants.json says what the code says', () => {
  assert.deepEqual(readJson(join(specification, 'constants.json')), {
    note: 'Lengths, limits, depths and codes of spec/*.md as data. Tests compare them with the code.',
    lengths: {
      word: wordLength,
      address: addressLength,
      publicKey: publicKeyLength,
      signature: signatureLength,
      chunk: chunkLength,
      segmentsPerChunk,
      manifest: manifestLength,
      seal: sealLength,
      callHeader: callInputHeaderLength,
      callBodyBeforeArgument: callHeaderLength,
      clusterId: clusterIdLength,
      localClusterIdPrefix: localPrefixLength,
    },
    limits: {
      callsPerEnvelope: maximumCallsPerEnvelope,
      transactionsPerBlock: maximumTransactionsPerBlock,
      blockDataBytes: maximumBlockDataLength,
      outputBytes: maximumOutputLength,
      members: maximumMembers,
    },
    // Depths of memory and globals belong to packages/vm; state.json is computed with these.
    depths: {
      memory: 27,
      globals: 8,
      sessions: sessionTreeDepth,
      receipts: receiptsTreeDepth,
      output: outputTreeDepth,
    },
    envelopeKind,
    receiptStatus,
    rejectionCode,
    voteType,
    blockIdFlag,
  })
})

test('receipt.md and session.md name every rejection with its code', () => {
  for (const [name, code] of Object.entries(rejectionCode)) {
    if (name === 'none') continue
    assert.ok(text('receipt.md').includes(`${code} \`${name}\``), `receipt.md lacks ${code} ${name}`)
    assert.ok(text('session.md').includes(`${code} \`${name}\``), `session.md lacks ${code} ${name}`)
  }
})

test('every rejection that protocol throws is in a text of spec/', () => {
  const source = join(repositoryRoot, 'packages', 'protocol', 'src')
  const texts = readdirSync(specification)
    .filter((name) => name.endsWith('.md'))
    .map(text)
    .join('\n')
  const codes = new Set<string>()
  for (const name of readdirSync(source).filter((file) => file.endsWith('.ts'))) {
    const code = readFileSync(join(source, name), 'utf8')
    for (const [, found] of code.matchAll(/(?:new OnusError|reject)\(\s*'([a-z0-9-]+)'/g)) codes.add(found as string)
  }
  assert.ok(codes.size > 15)
  for (const code of codes) assert.ok(texts.includes(`\`${code}\``), `no text names ${code}`)
})

/** The texts of this package's formats; other texts are held by their own packages. */
const own = [
  'block-data',
  'certificate',
  'encoding',
  'genesis',
  'manifest',
  'receipt',
  'session',
  'state',
  'transaction',
]

test('every section of these texts that a source file of protocol names is there', () => {
  const source = join(repositoryRoot, 'packages', 'protocol', 'src')
  const missing: string[] = []
  let named = 0
  for (const name of readdirSync(source).filter((file) => file.endsWith('.ts')))
    for (const [, file, section] of readFileSync(join(source, name), 'utf8').matchAll(
      /`spec\/([\w-]+)\.md`(?: (\d+))?/g,
    )) {
      if (!own.includes(file as string)) continue
      named++
      if (section !== undefined && !text(`${file}.md`).includes(`\n## ${section}. `))
        missing.push(`${name}: ${file} ${section}`)
    }
  assert.deepEqual(missing, [])
  assert.ok(named >= own.length)
})
