/**
 * An index from hashes to the rows of a table, by linear hashing: every insertion splits at most one bucket, so there
 * is no rehash of everything (a `Map` of 1 M entries rehashes in about 100 M instructions in one call).
 * Rows are numbered 0, 1, 2 … and are added in that order. The caller compares the keys themselves.
 */
import { PagedArray } from "./pagedArray";

/** No row. */
export const noRow: u32 = u32.MAX_VALUE;

export class HashIndex {
  /** First row of each bucket. */
  private heads: PagedArray<u32> = new PagedArray<u32>();
  /** Next row of the same bucket, by row. */
  private nexts: PagedArray<u32> = new PagedArray<u32>();
  private hashes: PagedArray<u32> = new PagedArray<u32>();
  /** Buckets of the round that is being split: a power of two. */
  private base: u32 = 1;

  constructor() {
    this.heads.push(noRow);
  }

  private bucketOf(hash: u32): u32 {
    const wide = hash & ((this.base << 1) - 1);
    return wide < this.heads.length ? wide : hash & (this.base - 1);
  }

  /** Adds the next row. */
  add(hash: u32): void {
    const row = this.hashes.push(hash);
    const bucket = this.bucketOf(hash);
    this.nexts.push(this.heads.get(bucket));
    this.heads.set(bucket, row);
    this.split();
  }

  /** Moves the rows of one bucket that belong to the new last one. */
  private split(): void {
    const target = this.heads.push(noRow);
    const source = target - this.base;
    if (target + 1 == this.base << 1) this.base <<= 1;
    let row = this.heads.get(source);
    let kept = noRow;
    let moved = noRow;
    while (row != noRow) {
      const next = this.nexts.get(row);
      if (this.bucketOf(this.hashes.get(row)) == target) {
        this.nexts.set(row, moved);
        moved = row;
      } else {
        this.nexts.set(row, kept);
        kept = row;
      }
      row = next;
    }
    this.heads.set(source, kept);
    this.heads.set(target, moved);
  }

  /** A row with `hash`, or `noRow`. */
  first(hash: u32): u32 {
    return this.match(this.heads.get(this.bucketOf(hash)), hash);
  }

  /** Another row with the hash of `row`, or `noRow`. */
  next(row: u32): u32 {
    return this.match(this.nexts.get(row), this.hashes.get(row));
  }

  private match(start: u32, hash: u32): u32 {
    let row = start;
    while (row != noRow && this.hashes.get(row) != hash) row = this.nexts.get(row);
    return row;
  }
}
