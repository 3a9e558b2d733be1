/** Seeded random choices of tests: the same seed gives the same numbers on every machine. Never for keys. */

/** Numbers from 0 (with) to 1 (without), by mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** An integer from 0 to `end`, without `end`. */
export function integerBelow(random: () => number, end: number): number {
  return Math.floor(random() * end)
}

export function oneOf<Value>(random: () => number, values: readonly Value[]): Value {
  return values[integerBelow(random, values.length)] as Value
}
