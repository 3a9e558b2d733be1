/** Receipts, sessions, call headers and code references (`spec/receipt.md`, `spec/session.md`, `spec/vm.md`). */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BinaryReader, BinaryWriter } from '../src/binary.js'
import { callInputHeaderLength, encodeCallInput } from '../src/callHeader.js'
import { codeReference } from '../src/code.js'
import { AssertionError } from '../src/errors.js'
import { nobleHasher } from '../src/hash.js'
import {
  decodeReceiptProof,
  encodeReceiptProof,
  maximumOutputLength,
  outputRoot,
  outputTreeDepth,
  type Receipt,
  readReceipt,
  receiptLeaf,
  rejectionCode,
  writeReceipt,
} from '../src/receipt.js'
import { isPast, type Session, sessionLeaf } from '../src/session.js'
import { fixedTreeNode, sha256 } from './support/naiveTrees.js'
import { assertRejects, rejectionOf } from './support/rejection.js'
import { seededBytes, seededHash } from './support/seeded.js'

const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const text = (value: string): Uint8Array => join(Buffer.from(value), new Uint8Array(32 - value.length))
const integer = (value: number): Uint8Array => new Uint8Array(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'))
const address = (label: string): Uint8Array => seededBytes(label, 20)
const addressWord = (label: string): Uint8Array => join(new Uint8Array(12), address(label))

const executed: Receipt = {
  transactionId: seededHash('transaction'),
  status: 0,
  rejection: 0,
  gasUsed: 12_345,
  output: seededBytes('output', 77),
}

function leavesOf(output: Uint8Array): Uint8Array[] {
  const padded = join(output, new Uint8Array((32 - (output.length % 32)) % 32))
  return Array.from({ length: padded.length / 32 }, (_, index) => padded.slice(32 * index, 32 * index + 32))
}

describe('receipts', () => {
  test('the output root is a tree of depth 15 over zero-padded words', () => {
    for (const length of [0, 1, 31, 32, 33, 64, 1000, 4096]) {
      const output = seededBytes(`output ${length}`, length)
      assert.deepEqual(outputRoot(nobleHasher, output), fixedTreeNode(leavesOf(output), outputTreeDepth))
    }
  })

  test('1 MiB of output fits, one byte more does not', () => {
    assert.equal(maximumOutputLength, 2 ** 20)
    const full = seededBytes('full', 2 ** 20)
    assert.deepEqual(outputRoot(nobleHasher, full), fixedTreeNode(leavesOf(full), outputTreeDepth))
    assert.throws(() => outputRoot(nobleHasher, new Uint8Array(2 ** 20 + 1)), AssertionError)
  })

  test('the leaf is the record of seven words; output and its length are both bound', () => {
    const expected = sha256(
      text('onus/receipt/1'),
      executed.transactionId,
      integer(0),
      integer(0),
      integer(12_345),
      fixedTreeNode(leavesOf(executed.output), 15),
      integer(77),
      new Uint8Array(32),
    )
    assert.deepEqual(receiptLeaf(nobleHasher, executed), expected)
    const longer = { ...executed, output: join(executed.output, new Uint8Array(1)) }
    assert.deepEqual(outputRoot(nobleHasher, longer.output), outputRoot(nobleHasher, executed.output))
    assert.notDeepEqual(receiptLeaf(nobleHasher, longer), expected)
  })

  test('the receipt file is tag, height, index, siblings and receipt', () => {
    const siblings = seededBytes('siblings', 512)
    const bytes = encodeReceiptProof({ height: 258, index: 3, receipt: executed, siblings })
    const head = join(Buffer.from('onus/receipt/1\0\0'), Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 2, 0, 3), siblings)
    const body = join(
      executed.transactionId,
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0x30, 0x39, 0, 0, 0, 77),
      executed.output,
    )
    assert.deepEqual(bytes, join(head, body))
    const decoded = decodeReceiptProof(bytes)
    assert.deepEqual(decoded, { height: 258, index: 3, receipt: executed, siblings })
  })

  test('status, rejection and output must go together', () => {
    const accepted: string[] = []
    for (let status = 0; status < 5; status++)
      for (let rejection = 0; rejection < 12; rejection++)
        for (const length of [0, 5]) {
          const writer = new BinaryWriter().bytes(seededHash('t')).u8(status).u8(rejection).u64(1).u32(length)
          const bytes = writer.bytes(new Uint8Array(length)).finish()
          const code = rejectionOf(() => readReceipt(new BinaryReader(bytes, 'receipt')))
          if (code === null) accepted.push(`${status} ${rejection} ${length}`)
          else assert.equal(code, 'receipt-form')
        }
    const rejections = Object.values(rejectionCode).filter((code) => code !== 0)
    assert.deepEqual(accepted, ['0 0 0', '0 0 5', '1 0 0', ...rejections.map((code) => `2 ${code} 0`)])
  })

  test('an output length over 1 MiB or over the bytes left is refused before it is read', () => {
    const write = (length: number): Uint8Array => {
      const writer = new BinaryWriter()
      writeReceipt(writer, { ...executed, output: new Uint8Array(0) })
      const bytes = writer.finish()
      new DataView(bytes.buffer).setUint32(bytes.length - 4, length)
      return bytes
    }
    const read = (length: number): unknown => readReceipt(new BinaryReader(write(length), 'receipt'))
    assertRejects('receipt-form', () => read(2 ** 20 + 1))
    assertRejects('receipt-form', () => read(2 ** 32 - 1))
    assertRejects('truncated', () => read(2 ** 20))
  })
})

describe('sessions', () => {
  const session: Session = {
    owner: address('owner'),
    key: address('key'),
    callKind: 2,
    generation: 3,
    nextCounter: 4,
    closes: { height: 5, time: 6 },
  }

  test('the leaf is the record of seven words, and 32 zero bytes for a slot never opened', () => {
    const words = [addressWord('owner'), addressWord('key'), ...[2, 3, 4, 5, 6].map(integer)]
    assert.deepEqual(sessionLeaf(nobleHasher, session), sha256(text('onus/session/1'), ...words))
    assert.deepEqual(sessionLeaf(nobleHasher, null), new Uint8Array(32))
  })

  test('a limit is past when the height or the time is, and not before', () => {
    const limit = { height: 10, time: 1000 }
    const at = (height: number, milliseconds: number): boolean => isPast(limit, { height, milliseconds })
    assert.deepEqual(
      [at(10, 1000), at(11, 1000), at(10, 1001), at(11, 1001), at(0, 0)],
      [false, true, true, true, false],
    )
  })
})

describe('call headers', () => {
  test('are eight words, the seed a record of manifest and id', () => {
    const context = {
      caller: address('caller'),
      session: { slot: 0x01020304, generation: 0xa0b0c0d0 },
      counter: 5,
      height: 6,
      milliseconds: 7,
      transactionId: seededHash('id'),
      previousManifest: seededHash('previous'),
    }
    const header = encodeCallInput(nobleHasher, context, new Uint8Array(0))
    assert.deepEqual(encodeCallInput(nobleHasher, context, Uint8Array.of(1, 2)), join(header, Uint8Array.of(1, 2)))
    const sessionWord = join(new Uint8Array(24), Uint8Array.of(1, 2, 3, 4, 0xa0, 0xb0, 0xc0, 0xd0))
    const seed = sha256(text('onus/seed/1'), seededHash('previous'), seededHash('id'))
    assert.deepEqual(
      header,
      join(
        addressWord('caller'),
        sessionWord,
        integer(5),
        integer(6),
        integer(7),
        seededHash('id'),
        seed,
        new Uint8Array(32),
      ),
    )
    assert.equal(header.length, callInputHeaderLength)
  })
})

describe('code references', () => {
  test('are the record of module, metered module, lowering version and memory limit', () => {
    const parts = {
      moduleReference: seededHash('module'),
      meteredHash: seededHash('metered'),
      loweringVersion: 1,
      maximumMemoryPages: 4096,
    }
    const expected = sha256(text('onus/code/1'), seededHash('module'), seededHash('metered'), integer(1), integer(4096))
    assert.deepEqual(codeReference(nobleHasher, parts), expected)
  })
})
