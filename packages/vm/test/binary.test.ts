/** Reader and writer of the binary format: round trip, strictness, behaviour on mutated modules. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { OnusError } from '@onus/protocol/errors'
import fc from 'fast-check'
import { ByteReader } from '../src/binary/byteReader.js'
import { ByteWriter } from '../src/binary/byteWriter.js'
import { CodeWriter } from '../src/binary/codeWriter.js'
import { DecodedCode } from '../src/binary/decodedCode.js'
import { decodeModule } from '../src/binary/decodeModule.js'
import { encodeInstruction } from '../src/binary/encodeCode.js'
import { encodeModule } from '../src/binary/encodeModule.js'
import { describeFunction, readFunctionNames } from '../src/binary/nameSection.js'
import { keccakModuleBytes } from '../src/keccak/keccakModule.js'
import { lowerModule } from '../src/lower/lowerModule.js'
import { ledgerGuest, operationsGuest } from './support/guests.js'
import { randomModule } from './support/randomModule.js'
import { invoking, wat } from './support/wat.js'

const parameters = { maximumMemoryPages: 2_000 }

/** Every section form: imports of each kind, passive and declarative segments, SIMD, atomics, typed select. */
const everything = (): Uint8Array =>
  wat(`(module
    (import "a" "f" (func $f (param f64) (result i64))) (import "a" "g" (global $g i32))
    (table $t 3 9 funcref) (table $u 1 1 externref) (memory 1 2)
    (global $m (mut f32) (f32.const nan:0x200001)) (global $r funcref (ref.func $h))
    (elem $t (i32.const 0) $h $f) (elem $p func $h) (elem declare func $h) (elem $x funcref (ref.null func) (ref.func $h))
    (data (i32.const 8) "abc\\00") (data $d "passive")
    (export "h" (func $h)) (export "mem" (memory 0))
    (func $h (param $x i32) (result i32) (local f64 i64)
      (block (block (br_table 0 1 0 (local.get $x))))
      (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop $d) (elem.drop $p)
      (v128.store (i32.const 0) (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 (v128.const i32x4 1 2 3 4) (v128.const i64x2 5 6)))
      (drop (i64x2.extract_lane 1 (v128.load8_lane 3 (i32.const 1) (v128.const i32x4 1 2 3 4))))
      (drop (i32.atomic.rmw.add (i32.const 4) (i32.const 5))) (atomic.fence)
      (drop (call_indirect $t (param i32) (result i32) (i32.const -1) (i32.const 1)))
      (table.set $t (i32.const 0) (ref.null func)) (drop (table.grow $t (ref.null func) (i32.const 1)))
      (drop (f64.const nan:0x8000000000001)) (drop (i64.const -9223372036854775808))
      (select (i32.const -2147483648) (i32.trunc_sat_f64_u (f64.const 1.5)) (local.get $x))))`)

async function modules(): Promise<Uint8Array[]> {
  const random = Array.from({ length: 20 }, (_, seed) => randomModule(seed + 1))
  return [await operationsGuest(), await ledgerGuest(), everything(), keccakModuleBytes(), invoking('(nop)'), ...random]
}

describe('round trip', () => {
  test('modules of AssemblyScript, binaryen and our own are written back byte by byte', async () => {
    for (const bytes of await modules()) assert.deepEqual(encodeModule(decodeModule(bytes)), bytes)
  })

  test('each instruction is decoded without loss', async () => {
    const code = new DecodedCode()
    let instructions = 0
    for (const bytes of await modules())
      for (const body of decodeModule(bytes).bodies) {
        code.decode(new ByteReader(body.code))
        const writer = new CodeWriter()
        for (let i = 0; i < code.count; i++) encodeInstruction(writer, code, i, body.code)
        assert.deepEqual(writer.finish(), body.code.slice())
        instructions += code.count
      }
    assert.ok(instructions > 3_000)
  })

  test('integers', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.integer(),
        fc.nat(2 ** 31),
        (long, word, count) => {
          const reader = new ByteReader(new ByteWriter().s64(long).s32(word).u32(count).s64(BigInt(word)).finish())
          assert.equal(reader.signed(64), long)
          assert.equal(reader.s32(), word)
          assert.equal(reader.u32(), count)
          assert.equal(reader.signed(33), BigInt(word))
          assert.equal(reader.remaining, 0)
        },
      ),
      { seed: 1 },
    )
  })
})

describe('strictness', () => {
  const malformed = (bytes: number[], what: RegExp): void => {
    const module = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...bytes])
    assert.throws(
      () => decodeModule(module),
      (error) => error instanceof OnusError && error.code === 'module-malformed' && what.test(error.message),
    )
  }
  test('wrong magic', () => {
    assert.throws(() => decodeModule(Uint8Array.of(0, 0x61, 0x73, 0x6d, 2, 0, 0, 0)), { code: 'module-malformed' })
    assert.throws(() => decodeModule(new Uint8Array(3)), { code: 'module-malformed' })
  })
  test('a section longer than the file', () => malformed([1, 100, 0], /section 1/))
  test('sections out of order and twice', () => {
    malformed([3, 1, 0, 1, 1, 0], /unexpected section 1/)
    malformed([1, 1, 0, 1, 1, 0], /unexpected section 1/)
  })
  test('an unknown section', () => malformed([14, 0], /unexpected section 14/))
  test('bytes left in a section', () => malformed([1, 2, 0, 0], /too many/))
  test('a count beyond the bytes', () => malformed([1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f], /announced/))
  test('an integer of more than 32 bits', () => malformed([1, 5, 0xff, 0xff, 0xff, 0xff, 0x1f], /32 bits/))
  test('four billion locals', () => {
    const body = [1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, 0x0b]
    malformed([1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 10, 1, 8, ...body], /locals/)
  })
  test('functions without bodies', () => malformed([1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0], /differ/))
  test('tags and garbage collected types are named', () => {
    const module = (bytes: number[]): Uint8Array => Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...bytes])
    assert.throws(() => decodeModule(module([13, 1, 0])), { code: 'profile-exceptions' })
    assert.throws(() => decodeModule(module([1, 2, 1, 0x5f])), { code: 'profile-gc' })
    assert.throws(() => decodeModule(module([5, 3, 1, 4, 1])), { code: 'profile-memory' })
  })
})

describe('mutated modules', () => {
  test('reader and lowering give a result or a typed refusal', async () => {
    const sources = await modules()
    let lowered = 0
    let refused = 0
    const mutate = (bytes: Uint8Array, edits: readonly (readonly [number, number, number])[]): Uint8Array => {
      let result = bytes.slice()
      for (const [where, value, kind] of edits) {
        const at = where % result.length
        if (kind === 0) result[at] = value
        else if (kind === 1) result = result.slice(0, at)
        else if (kind === 2) result = Uint8Array.from([...result.subarray(0, at), value, ...result.subarray(at)])
        else result[at] = (result[at] as number) ^ (1 << (value & 7))
      }
      return result
    }
    const attempt = (run: () => void): void => {
      try {
        run()
        lowered++
      } catch (error) {
        if (!(error instanceof OnusError)) throw error
        refused++
      }
    }
    const edit = fc.tuple(fc.nat(1 << 20), fc.nat(255), fc.constantFrom(0, 0, 0, 1, 2, 3, 3))
    fc.assert(
      fc.property(fc.nat(sources.length - 1), fc.array(edit, { minLength: 1, maxLength: 3 }), (source, edits) => {
        const bytes = mutate(sources[source] as Uint8Array, edits)
        attempt(() => decodeModule(bytes))
        // lowerModule asserts that both outputs are valid, and an AssertionError fails this test.
        attempt(() => lowerModule(bytes, parameters))
      }),
      { seed: 7, numRuns: 4_000, interruptAfterTimeLimit: 60_000 },
    )
    assert.ok(lowered > 200 && refused > 200, `${lowered} lowered, ${refused} refused`)
  })

  test('random bytes behind the header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (tail) => {
        try {
          decodeModule(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...tail]))
        } catch (error) {
          assert.ok(error instanceof OnusError)
        }
      }),
      { seed: 3, numRuns: 3_000 },
    )
  })
})

test('names of functions for messages', () => {
  const module = binaryenWithNames()
  const names = readFunctionNames(decodeModule(module))
  assert.equal(describeFunction(0, names), 'function 0 ("transfer")')
  assert.equal(describeFunction(5, names), 'function 5')
})

/** A module with one function and a name section that calls it "transfer". */
function binaryenWithNames(): Uint8Array {
  const module = decodeModule(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
  const functions = new ByteWriter().u32(1).u32(0).lengthPrefixed(Buffer.from('transfer')).finish()
  const bytes = new ByteWriter().u8(1).lengthPrefixed(functions).finish()
  return encodeModule({ ...module, customs: [{ after: 0, name: Buffer.from('name'), bytes }] })
}
