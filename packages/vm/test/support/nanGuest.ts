/** A guest that does every float operation on NaNs of all kinds and shows the bits of the results. */
import { invoking } from './wat.js'

const doubles = [
  'nan',
  '-nan',
  'nan:0x8000000000001',
  '-nan:0xc000000000003',
  'nan:0x4000000000000',
  'inf',
  '-inf',
  '0',
  '-0',
  '1.5',
]
const singles = ['nan', '-nan', 'nan:0x400001', '-nan:0x600003', 'nan:0x200000', 'inf', '-inf', '0', '-0', '1.5']
const binary = ['add', 'sub', 'mul', 'div', 'min', 'max', 'copysign']
const unary = ['ceil', 'floor', 'trunc', 'nearest', 'sqrt', 'neg', 'abs']

export interface NanCase {
  readonly width: 32 | 64
  readonly operation: string
  readonly operands: readonly string[]
}

export const nanCases: readonly NanCase[] = [
  ...([64, 32] as const).flatMap((width) => {
    const values = width === 64 ? doubles : singles
    return [
      ...binary.flatMap((operation) =>
        values.flatMap((a) => values.map((b) => ({ width, operation, operands: [a, b] }))),
      ),
      ...unary.flatMap((operation) => values.map((a) => ({ width, operation, operands: [a] }))),
    ]
  }),
]

/** Operands come from memory, so that no compiler folds them; results lie at 8 * index. */
export function nanGuest(): Uint8Array {
  const size = nanCases.length * 8
  const parts: string[] = []
  nanCases.forEach(({ width, operation, operands }, index) => {
    const type = `f${width}`
    const loads = operands.map((value, k) => {
      const at = size + 16 * (index % 64) + 8 * k
      parts.push(`(${type}.store (i32.const ${at}) (${type}.const ${value}))`)
      return `(${type}.load (i32.const ${at}))`
    })
    parts.push(`(${type}.store (i32.const ${8 * index}) (${type}.${operation} ${loads.join(' ')}))`)
  })
  return invoking(`${parts.join('\n')} (call $output_write (i32.const 0) (i32.const ${size}))`)
}
