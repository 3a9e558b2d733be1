/** Header hash, vote sign bytes, item hash and validators hash against blocks of the real CometBFT (`commit.json`). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { blockIdFlag, type CanonicalVote, canonicalBlockId, voteSignBytes, voteType } from '../src/commit.js'
import { nobleHasher } from '../src/hash.js'
import { type BlockId, dataHash, type Header, headerHash, headerLeaves } from '../src/header.js'
import { addressOf, nobleCurve } from '../src/signature.js'
import { validatorsHash } from '../src/validatorSet.js'
import { recordedBlocks } from './support/recordedCommits.js'
import { seededHash } from './support/seeded.js'

const blocks = recordedBlocks()
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('blocks of CometBFT v0.40.0', () => {
  test('the recording has what it claims: a first block, items, a later round, absent and nil votes', () => {
    const flags = blocks.flatMap(({ commit }) => commit.signatures.map(({ flag }) => flag))
    assert.ok(blocks.some(({ header }) => header.lastBlockId === null))
    assert.ok(blocks.some(({ items }) => items.length === 5))
    assert.ok(blocks.some(({ commit }) => commit.round > 0))
    assert.ok(flags.includes(blockIdFlag.absent) && flags.includes(blockIdFlag.nil))
  })

  test('header hashes are the block ids that were signed', () => {
    for (const { header, commit } of blocks)
      assert.equal(hex(headerHash(nobleHasher, header)), hex(commit.blockId.hash))
  })

  test('each field of a header counts', () => {
    const { header, commit } = blocks[2] as (typeof blocks)[number]
    const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, index) => (index === 0 ? byte ^ 1 : byte))
    for (const key of Object.keys(header) as (keyof Header)[]) {
      const value = header[key]
      const changed =
        value instanceof Uint8Array
          ? flipped(value)
          : typeof value === 'number'
            ? value + 1
            : typeof value === 'string'
              ? `${value}0`
              : null
      const replaced =
        key === 'time'
          ? { ...header.time, nanoseconds: header.time.nanoseconds ^ 1 }
          : key === 'lastBlockId'
            ? null
            : changed
      assert.notEqual(
        hex(headerHash(nobleHasher, { ...header, [key]: replaced } as Header)),
        hex(commit.blockId.hash),
        key,
      )
    }
    assert.equal(headerLeaves(header).length, 14)
  })

  test('validators hash and order are those of the engine, equal powers by address', () => {
    for (const { header, validators, order } of blocks) {
      assert.deepEqual(
        validators.validators.map(({ address }) => hex(address)),
        order.map(hex),
      )
      assert.equal(hex(validatorsHash(nobleHasher, validators)), hex(header.validatorsHash))
    }
  })

  test('the item hash of a block of five items and of one without is in the header', () => {
    for (const { header, items } of blocks) assert.equal(hex(dataHash(nobleHasher, items)), hex(header.dataHash))
  })

  test('every precommit recovers to its validator, for the block and for nil', () => {
    let counted = 0
    for (const { header, commit, validators } of blocks)
      commit.signatures.forEach(({ flag, address, timestamp, signature }, index) => {
        if (flag === blockIdFlag.absent) return
        const { height, round } = commit
        const blockId = flag === blockIdFlag.commit ? commit.blockId : null
        const vote = { type: voteType.precommit, height, round, blockId, timestamp, chainId: header.chainId }
        const digest = nobleHasher.keccak256(voteSignBytes(vote))
        const publicKey = validators.validators[index]?.publicKey as Uint8Array
        assert.equal(hex(addressOf(publicKey)), hex(address))
        assert.equal(nobleCurve.verify(digest, signature, publicKey), true)
        assert.deepEqual(nobleCurve.recover(digest, signature), publicKey)
        for (const other of [{ type: voteType.prevote }, { round: round + 1 }, { height: height + 1 }]) {
          const bytes = voteSignBytes({ ...vote, ...other } as CanonicalVote)
          assert.equal(nobleCurve.verify(nobleHasher.keccak256(bytes), signature, publicKey), false)
        }
        counted++
      })
    assert.equal(counted, 15)
  })
})

describe('sign bytes', () => {
  const id = (total: number): BlockId => ({
    hash: seededHash('block'),
    partSetHeader: { total, hash: seededHash('parts') },
  })
  const vote: CanonicalVote = {
    type: voteType.precommit,
    height: 0x0102030405,
    round: 0,
    blockId: id(1),
    timestamp: { seconds: 1, nanoseconds: 0 },
    chainId: 'c',
  }

  test('fields that are zero are left out, the block id of a vote for nil too', () => {
    const block = `0a20${hex(seededHash('block'))}122408011220${hex(seededHash('parts'))}`
    assert.equal(hex(canonicalBlockId(id(1))), block)
    assert.equal(hex(voteSignBytes(vote)), `5c08021105040302010000002248${block}2a020801320163`)
    const nil = { ...vote, blockId: null, timestamp: { seconds: 0, nanoseconds: 0 } }
    assert.equal(hex(voteSignBytes(nil)), '1008021105040302010000002a00320163')
    assert.equal(hex(voteSignBytes({ ...nil, round: 3 })), '1908021105040302010000001903000000000000002a00320163')
  })

  test('128 parts or more take one more byte, in both lengths', () => {
    const bytes = hex(voteSignBytes({ ...vote, blockId: id(128) }))
    assert.ok(bytes.startsWith('5d08021105040302010000002249'))
    assert.ok(bytes.includes('1225088001'))
  })
})
