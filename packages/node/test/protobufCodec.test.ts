/** The protobuf codec: round trips of every table, refusals of every kind of bad input, a fuzz over mutated bytes. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decodeMessage, decodeUnion } from '@onus/node/protobuf/decode'
import { encodeDelimited, encodeMessage, encodeUnionFrame } from '@onus/node/protobuf/encode'
import { FrameSplitter } from '@onus/node/protobuf/frames'
import { messages } from '@onus/node/protobuf/messages'
import type { FieldRow, MessageName } from '@onus/node/protobuf/types'
import { concatBytes, fromHex, toHex } from '@onus/protocol/bytes'
import { voteSignBytes } from '@onus/protocol/commit'
import { OnusError } from '@onus/protocol/errors'
import fc from 'fast-check'

const tables: Readonly<Record<string, Readonly<Record<string, FieldRow>>>> = messages
const names = Object.keys(messages) as MessageName[]

function scalar(kind: string): fc.Arbitrary<unknown> | undefined {
  switch (kind) {
    case 'uint32':
      return fc.integer({ min: 0, max: 0xffff_ffff })
    case 'uint64':
      return fc.maxSafeNat()
    case 'int32':
    case 'enum':
      return fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })
    case 'int64':
    case 'sfixed64':
      return fc.maxSafeInteger()
    case 'bool':
      return fc.boolean()
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 20 })
    case 'bytes':
      return fc.uint8Array({ maxLength: 300 })
    default:
      return undefined
  }
}

/** Any value of message `name`, with every field, as decoding gives it. */
function anyMessage(name: string): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.entries(tables[name] ?? {}).map(([field, [, kind, rule]]) => {
    const one: fc.Arbitrary<unknown> = scalar(kind) ?? anyMessage(kind)
    if (rule === 'repeated') return [field, fc.array(one, { maxLength: 4 })]
    if (rule === 'required' || scalar(kind) !== undefined) return [field, one]
    return [field, fc.option(one, { nil: undefined })]
  })
  return fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>)
}

/** Lists and objects in one form: fast-check's records have no prototype. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

function codeOf(run: () => unknown): string {
  try {
    run()
    return 'accepted'
  } catch (error) {
    assert(error instanceof OnusError, String(error))
    return error.code
  }
}

describe('protobuf codec', () => {
  test('every message survives encoding and decoding', () => {
    for (const name of names) {
      fc.assert(
        fc.property(anyMessage(name), (message) => {
          const decoded = decodeMessage(name, encodeMessage(name, message as never))
          assert.deepEqual(plain(decoded), plain(message))
        }),
        { numRuns: 30, seed: 1 },
      )
    }
  })

  test('mutated bytes decode to something that encodes, or are refused with a protobuf code', () => {
    for (const name of ['Request', 'Response', 'SignerMessage', 'Block'] as const) {
      let refused = 0
      fc.assert(
        fc.property(
          anyMessage(name),
          fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
          fc.nat(),
          (message, changes, cut) => {
            const bytes = encodeMessage(name, message as never).slice()
            for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte
            const input = cut % 4 === 0 ? bytes.subarray(0, cut % (bytes.length + 1)) : bytes
            const code = codeOf(() => encodeMessage(name, decodeMessage(name, input) as never))
            if (code === 'accepted') return
            assert.match(code, /^protobuf-/)
            refused++
          },
        ),
        { numRuns: 2000, seed: 2 },
      )
      assert(refused > 100, `${name}: only ${refused} refused`)
    }
  })

  test('random bytes never crash', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.uint8Array({ maxLength: 200 }), (name, bytes) => {
        const code = codeOf(() => decodeMessage(name, bytes))
        assert(code === 'accepted' || code.startsWith('protobuf-'), code)
      }),
      { numRuns: 20_000, seed: 3 },
    )
  })

  test('each kind of bad input has its code', () => {
    const cases: [MessageName, string, string][] = [
      ['Timestamp', '08', 'protobuf-truncated'],
      ['Timestamp', '088000', 'protobuf-varint-overlong'],
      ['Timestamp', '0880808080808080808000', 'protobuf-varint-overlong'],
      ['Timestamp', '0880808080808080808002', 'protobuf-varint-overflow'],
      ['Timestamp', '08808080808080808080808001', 'protobuf-varint-overflow'],
      ['Timestamp', '0880808080808080808001', 'protobuf-integer-range'],
      ['Timestamp', '10ffffffff0f', 'protobuf-integer-range'],
      ['Timestamp', '08010801', 'protobuf-duplicate-field'],
      ['Timestamp', '1801', 'protobuf-unknown-field'],
      ['Timestamp', '0001', 'protobuf-unknown-field'],
      ['Timestamp', '0d01000000', 'protobuf-wire-type'],
      ['EventAttribute', '1802', 'protobuf-integer-range'],
      ['EventAttribute', '0a01ff', 'protobuf-utf-8'],
      ['EventAttribute', '0a02ff', 'protobuf-truncated'],
      ['EventAttribute', '0affffffff0f', 'protobuf-truncated'],
      ['EventAttribute', '0affffffffffffffffff01', 'protobuf-truncated'],
      ['BlockID', '0a00', 'protobuf-missing-field'],
      ['BlockID', '12020802', 'accepted'],
      // A nested length that runs past its parent.
      ['BlockID', '1202080a0a', 'protobuf-truncated'],
      ['RequestReapTxs', '08ffffffffffffffffff01', 'protobuf-integer-range'],
      ['CanonicalProposal', '1100000000', 'protobuf-truncated'],
      ['CanonicalProposal', '11ffffffffffffff7f3200', 'protobuf-integer-range'],
    ]
    for (const [name, hex, code] of cases)
      assert.equal(
        codeOf(() => decodeMessage(name, fromHex(hex))),
        code,
        `${name} ${hex}`,
      )
    assert.equal(
      codeOf(() => decodeUnion('Request', new Uint8Array(0))),
      'protobuf-union',
    )
    assert.equal(
      codeOf(() => decodeUnion('Request', fromHex('0a0012001a00'))),
      'protobuf-union',
    )
    assert.equal(
      codeOf(() => decodeUnion('Request', fromHex('1200'))),
      'accepted',
    )
  })

  test('negative integers take ten bytes, packed and single repeated numbers are one', () => {
    assert.equal(toHex(encodeMessage('Timestamp', { seconds: -62_135_596_800 })), '088092b8c398feffffff01')
    assert.equal(decodeMessage('Timestamp', fromHex('088092b8c398feffffff01')).seconds, -62_135_596_800)
    const packed = fromHex('1203010203')
    assert.equal(toHex(encodeMessage('ResponseApplySnapshotChunk', { refetchChunks: [1, 2, 3] })), toHex(packed))
    for (const hex of ['1203010203', '100110021003'])
      assert.deepEqual(decodeMessage('ResponseApplySnapshotChunk', fromHex(hex)).refetchChunks, [1, 2, 3])
  })

  test('a proposal without proof of lock has the layout of a vote, one field on', () => {
    const blockId = { hash: new Uint8Array(32).fill(1), partSetHeader: { total: 1, hash: new Uint8Array(32).fill(2) } }
    const timestamp = { seconds: 1_700_000_000, nanoseconds: 5 }
    const proposal = encodeDelimited('CanonicalProposal', {
      type: 32,
      height: 9,
      round: 1,
      polRound: -1,
      blockId,
      timestamp,
      chainId: 'chain',
    })
    const vote = voteSignBytes({ type: 2, height: 9, round: 1, blockId, timestamp, chainId: 'chain' })
    // Vote: fields 4, 5, 6 are 5, 6, 7 in a proposal, which has pol_round (11 bytes for -1) as field 4.
    const expected = toHex(vote.subarray(1))
      .replace(/^0802/, '0820')
      .replace('2248', '2a48')
      .replace('2a0808', '320808')
    const chain = expected.replace(/3205636861696e$/, '3a05636861696e')
    const withPol = chain.replace('2a48', '20ffffffffffffffffff012a48')
    assert.equal(toHex(proposal.subarray(1)), withPol)
    assert.equal(proposal[0], proposal.length - 1)
  })
})

describe('frames', () => {
  test('any chunking of any frames gives the frames', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 8 }),
        fc.array(fc.nat(300), { minLength: 1, maxLength: 20 }),
        (contents, cuts) => {
          const frames = contents.map((content) => encodeDelimited('RequestInsertTx', { tx: content }))
          const stream = concatBytes(...frames)
          const splitter = new FrameSplitter(1000)
          const got: string[] = []
          for (let at = 0, cut = 0; at < stream.length; cut++) {
            const next = at + 1 + (cuts[cut % cuts.length] as number)
            for (const frame of splitter.push(stream.slice(at, next)))
              got.push(toHex(decodeMessage('RequestInsertTx', frame).tx))
            at = next
          }
          assert.deepEqual(got, contents.map(toHex))
        },
      ),
      { numRuns: 500, seed: 4 },
    )
  })

  test('frames too long and lengths not in their shortest form are refused', () => {
    const push = (hex: string): string => codeOf(() => new FrameSplitter(1000).push(fromHex(hex)))
    assert.equal(push('e907'), 'frame-too-long')
    assert.equal(push('ffffffffff'), 'frame-too-long')
    assert.equal(push('8000'), 'frame-length')
    assert.equal(push('808080808000'), 'frame-length')
    assert.equal(push('00'), 'accepted')
  })

  test('a union frame is a length and the message', () => {
    assert.equal(toHex(encodeUnionFrame('Response', 'flush', {})), '021a00')
  })
})

test('speed: a FinalizeBlock of 5,000 items of 300 bytes', () => {
  const txs = Array.from({ length: 5000 }, (_, index) => new Uint8Array(300).fill(index))
  const bytes = encodeMessage('Request', {
    finalizeBlock: { txs, decidedLastCommit: {}, time: { seconds: 1 }, height: 7, hash: new Uint8Array(32) },
  })
  const times: number[] = []
  for (let i = 0; i < 40; i++) {
    const start = performance.now()
    const request = decodeUnion('Request', bytes)
    times.push(performance.now() - start)
    assert(request.kind === 'finalizeBlock' && request.value.txs.length === 5000)
  }
  times.sort((a, b) => a - b)
  console.log(`decode p50 ${times[20]?.toFixed(2)} ms`)
})
