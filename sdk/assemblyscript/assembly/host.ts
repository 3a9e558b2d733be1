/**
 * The four functions a backend may import (`spec/interface.md` 5). Nothing else of the host is reachable: no clock,
 * no randomness.
 */

/** Bytes of the input of the current call: header and request. */
@external("onus", "input_size")
export declare function inputSize(): i32;

/** Copies `length` bytes of the input from `offset` to `destination`; traps outside the input or the memory. */
@external("onus", "input_read")
export declare function inputRead(destination: usize, offset: i32, length: i32): void;

/** Adds `length` bytes at `source` to the output of the call. */
@external("onus", "output_write")
export declare function outputWrite(source: usize, length: i32): void;

/** Shows `length` bytes of UTF-8 at `source` to the people who run the node; no effect on result and state. */
@external("onus", "log_write")
export declare function logWrite(source: usize, length: i32): void;
