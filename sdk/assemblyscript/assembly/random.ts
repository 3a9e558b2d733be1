/**
 * `Math.random` without a host: seeded in every call from the call's seed, so all nodes get the same numbers. The
 * proposer of a block knows the seed: never use it where money depends on the outcome.
 */
import { header } from "./input";

/** What the standard library asks for its first number outside a call (`--use seed=`). */
export function seed(): f64 {
  return 0.5;
}

/** The first 8 bytes of the call's seed; the transform reseeds with it in every call of a backend that uses `Math.random`. */
export function callSeed(): i64 {
  return load<i64>(header() + 192);
}
