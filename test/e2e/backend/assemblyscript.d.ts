/** What `ledger.ts` uses of AssemblyScript's global scope, as far as the TypeScript compiler has to know. */
declare type u32 = number
declare type i32 = number
declare type u8 = number
declare class StaticArray<T> extends Array<T> {
  constructor(length: i32)
}
declare const memory: {
  /** Previous size in pages of 64 KiB, or -1. */
  grow(pages: i32): i32
}
