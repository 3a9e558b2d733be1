/**
 * What a backend may import: `import { Address, context, emit, u256 } from "@onus/assemblyscript"`.
 * `context` is what the node says about the current call (`spec/interface.md` 5.1); all of it is proved with the call.
 */
import { Address } from "./address";
import { header } from "./input";

export { Address } from "./address";
export { emit } from "./events";
export { log } from "./log";
export { err, ok, Result } from "./result";
export { i128 } from "./wide/i128";
export { i256 } from "./wide/i256";
export { u128 } from "./wide/u128";
export { u256 } from "./wide/u256";

function bytesAt(offset: usize, length: i32): Uint8Array {
  const bytes = new Uint8Array(length);
  memory.copy(bytes.dataStart, header() + offset, length);
  return bytes;
}

/** The integer in the last 8 bytes of word `index`. */
function integerAt(index: usize): u64 {
  return bswap<u64>(load<u64>(header() + (index << 5) + 24));
}

export namespace context {
  /** Ethereum address of the key that signed the call. */
  export function caller(): Address {
    return Address.fromBytes(bytesAt(12, 20));
  }

  /** The caller as `0x` and 40 lower-case hexadecimal digits. */
  export function callerText(): string {
    return caller().toString();
  }

  /** Number of the caller's session. */
  export function session(): u64 {
    return integerAt(1);
  }

  /** Number of the call in its session. */
  export function counter(): u64 {
    return integerAt(2);
  }

  /** Height of the block. */
  export function height(): u64 {
    return integerAt(3);
  }

  /** Time of the block in milliseconds since 1970; equal for all calls of a block. */
  export function time(): u64 {
    return integerAt(4);
  }

  /** Hash of the transaction, 32 bytes. */
  export function transactionId(): Uint8Array {
    return bytesAt(160, 32);
  }

  /** 32 bytes that differ from call to call. Not secret: the proposer of the block knows them before. */
  export function seed(): Uint8Array {
    return bytesAt(192, 32);
  }
}
