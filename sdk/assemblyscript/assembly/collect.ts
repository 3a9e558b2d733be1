/**
 * Garbage collection at the call boundary: there the stack holds no references, so the `minimal` runtime may collect.
 * The trigger is read from memory alone, so all nodes collect in the same call: since the last collection more than
 * 64 bytes were allocated for each live object, and at least 256 KiB (swept in about 1.5 M instructions). Marking costs by live objects and sweeping by dead
 * ones, so both stay in proportion; by bytes, a backend of few large objects would let so many small ones die that
 * one call swept for 58 M instructions (135,000 cities in columns: 3,000 objects in 15 MB).
 */

const floor: usize = 1 << 18;
const bytesPerObject: usize = 64;
let live: usize = 0;
let allowance: usize = floor;

export function collectIfDue(): void {
  // Both functions are added to the runtime's `~lib/rt/tcms` by the transform.
  // @ts-ignore: global
  if (__onus_managed_bytes() <= live + allowance) return;
  __collect();
  // @ts-ignore: global
  live = __onus_managed_bytes();
  // @ts-ignore: global
  allowance = max(floor, __onus_live_objects() * bytesPerObject);
}
