/** Modules that recurse without end, each with another kind of large frame. */
import { invoking } from './wat.js'

export interface Bomb {
  readonly name: string
  readonly module: Uint8Array
}

/** `locals` values of 64 bits that live over the call. */
function localsBomb(locals: number): Uint8Array {
  const each = (write: (i: number) => string): string => Array.from({ length: locals }, (_, i) => write(i)).join('\n')
  return invoking(
    '(drop (call $f (i64.const 1)))',
    `(func $f (param $n i64) (result i64) ${each((i) => `(local $l${i} i64)`)}
      ${each((i) => `(local.set $l${i} (i64.mul (local.get $n) (i64.load (i32.const ${i * 8}))))`)}
      (local.set $n (call $f (i64.add (local.get $n) (i64.const 1))))
      ${each((i) => `(i64.store (i32.const ${i * 8}) (i64.add (local.get $n) (local.get $l${i})))`)} (local.get $n))`,
  )
}

/** One local, but expressions that an optimising compiler computes once and keeps over the call. */
function expressionsBomb(expressions: number): Uint8Array {
  const each = (write: (value: string, i: number) => string): string =>
    Array.from({ length: expressions }, (_, i) =>
      write(`(i64.mul (local.get $n) (i64.const ${(i * 7919 + 12345) * 1000003}))`, i),
    ).join('\n')
  return invoking(
    '(drop (call $f (i64.const 1)))',
    `(func $f (param $n i64) (result i64) (local $r i64)
      ${each((value, i) => `(i64.store (i32.const ${i * 8}) ${value})`)}
      (local.set $r (call $f (i64.add (local.get $n) (i64.const 1))))
      ${each((value, i) => `(i64.store (i32.const ${i * 8}) (i64.add (local.get $r) ${value}))`)} (local.get $r))`,
  )
}

function indirectBomb(): Uint8Array {
  return invoking(
    '(call_indirect (type $v) (i32.const 0))',
    `(type $v (func)) (table 2 2 funcref) (elem (i32.const 0) $a $b)
    (func $a (call_indirect (type $v) (i32.const 1))) (func $b (call_indirect (type $v) (i32.const 0)))`,
  )
}

function manyParametersBomb(): Uint8Array {
  const parameters = Array.from({ length: 400 }, (_, i) => i)
  return invoking(
    `(call $f ${parameters.map((i) => `(i64.const ${i})`).join(' ')})`,
    `(func $f ${parameters.map(() => '(param i64)').join(' ')} (call $f ${parameters.map((i) => `(local.get ${399 - i})`).join(' ')}))`,
  )
}

export function bombs(): Bomb[] {
  return [
    { name: 'a small frame', module: invoking('(call $f)', '(func $f (call $f))') },
    { name: '38 locals', module: localsBomb(38) },
    { name: '200 locals', module: localsBomb(200) },
    { name: '1,000 locals', module: localsBomb(1_000) },
    { name: '300 expressions kept', module: expressionsBomb(300) },
    { name: '5,000 expressions kept', module: expressionsBomb(5_000) },
    { name: 'two functions through the table', module: indirectBomb() },
    { name: '400 parameters', module: manyParametersBomb() },
  ]
}
