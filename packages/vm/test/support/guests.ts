/** AssemblyScript guests of the tests, compiled once per process. */
import assert from 'node:assert/strict'
import asc from 'assemblyscript/asc'

const host = `
@external("onus", "input_size") declare function input_size(): i32
@external("onus", "input_read") declare function input_read(destination: usize, offset: i32, length: i32): void
@external("onus", "output_write") declare function output_write(source: usize, length: i32): void
`

/** Runs a list of operations over a region of 1 MiB and a map; every width of store, bulk work, growth, traps. */
const operations = `${host}
const region: usize = heap.alloc(1 << 20)
const table = new Map<u32, u64>()
let counter: u64 = 0
let ratio: f64 = 1.5
export function invoke(): void {
  const size = input_size()
  const input = heap.alloc(size)
  input_read(input, 0, size)
  let result: u64 = 0
  for (let at = input; at + 13 <= input + size; at += 13) {
    const operation = load<u8>(at)
    const a = load<u32>(at, 1)
    const b = load<u32>(at, 5)
    const c = load<u32>(at, 9)
    const target = region + (a & 0xfffff)
    const limit = region + (1 << 20)
    switch (operation) {
      case 0: if (target + 1 <= limit) store<u8>(target, b); break
      case 1: if (target + 2 <= limit) store<u16>(target, b); break
      case 2: if (target + 4 <= limit) store<u32>(target, b); break
      case 3: if (target + 8 <= limit) store<u64>(target, (<u64>b << 32) | c); break
      case 4: if (target + 8 <= limit) store<f64>(target, <f64>b / <f64>c); break
      case 5: if (target + 4 <= limit) store<f32>(target, <f32>b); break
      case 6: memory.fill(target, <u8>b, min<usize>(c & 0x3fff, limit - target)); break
      case 7: {
        const source = region + (b & 0xfffff)
        memory.copy(target, source, min<usize>(c & 0x7fff, min<usize>(limit - target, limit - source)))
        break
      }
      case 8: table.set(a & 1023, <u64>b); break
      case 9: if (table.has(a & 1023)) result += table.get(a & 1023); break
      case 10: counter += a; ratio = ratio * 1.01 + <f64>b; break
      case 11: if (target + 64 <= limit) { store<u64>(target, a); store<u32>(target, b, 20); store<u16>(target, c, 62); } break
      case 12: result ^= <u64>new Uint8Array(b & 0xfff).length; break
      case 13: memory.grow(a & 3); break
      case 14: unreachable()
      case 15: for (;;) { counter++ }
      default: result = result * 31 + a
    }
  }
  result ^= counter ^ reinterpret<u64>(ratio)
  store<u64>(region, result)
  output_write(region, 8)
  heap.free(input)
}
`

/** A ledger with 100,000 accounts in a table of 32 MiB and its transfers: the workload of design/vm.md D. */
const ledger = `${host}
const slots: u32 = 1 << 20
const table: usize = heap.alloc(slots << 5)
const input: usize = heap.alloc(256)
const output: usize = heap.alloc(128)
function slotOf(key: usize): usize {
  let hash: u32 = load<u32>(key) ^ load<u32>(key, 8)
  hash = (hash ^ (hash >>> 16)) * 0x45d9f3b
  for (let i = hash & (slots - 1); ; i = (i + 1) & (slots - 1)) {
    const slot = table + (<usize>i << 5)
    if (load<u64>(slot) == 0) {
      memory.copy(slot, key, 20)
      store<u64>(slot, 1000000, 24)
      return slot
    }
    if (memory.compare(slot, key, 20) == 0) return slot
  }
  return 0
}
export function invoke(): void {
  input_read(input, 0, 200)
  const from = slotOf(input)
  const to = slotOf(input + 20)
  const amount = load<u64>(input, 40)
  if (load<u8>(input, 48) != 0) unreachable()
  store<u64>(from, load<u64>(from, 24) - amount, 24)
  store<u64>(to, load<u64>(to, 24) + amount, 24)
  memory.copy(output, input, 100)
  output_write(output, 100)
}
`

const compiled = new Map<string, Promise<Uint8Array>>()

async function compile(source: string, memoryPages: number, runtime: string): Promise<Uint8Array> {
  const options = {
    optimizeLevel: 3,
    runtime,
    use: ['abort='],
    maximumMemory: memoryPages,
    enable: ['bulk-memory', 'sign-extension', 'nontrapping-f2i', 'mutable-globals'],
  }
  const { error, binary, stderr } = await asc.compileString(source, options as never)
  assert.equal(error, null, stderr.toString())
  assert.ok(binary)
  return binary
}

function once(name: string, source: string, memoryPages: number, runtime = 'incremental'): Promise<Uint8Array> {
  let promise = compiled.get(name)
  if (promise === undefined) {
    promise = compile(source, memoryPages, runtime)
    compiled.set(name, promise)
  }
  return promise
}

export function operationsGuest(): Promise<Uint8Array> {
  return once('operations', operations, 64)
}

export function ledgerGuest(): Promise<Uint8Array> {
  return once('ledger', ledger, 1_024, 'stub')
}

/** The bytes of one operation of the operations guest. */
export function operation(code: number, a: number, b: number, c: number): Uint8Array {
  const bytes = new Uint8Array(13)
  const view = new DataView(bytes.buffer)
  bytes[0] = code
  view.setUint32(1, a >>> 0, true)
  view.setUint32(5, b >>> 0, true)
  view.setUint32(9, c >>> 0, true)
  return bytes
}
