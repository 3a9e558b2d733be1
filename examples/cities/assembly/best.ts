/**
 * The best few of many rows: a binary heap with the worst on top. Ties are decided by the number of the city, so that
 * the answer does not depend on the order of insertion.
 */
import { cityAt, idAt } from "./cityTable";
import { City } from "./city";

/** Most cities that one query returns. */
export const mostResults: u32 = 100;

export class Best {
  private rows: StaticArray<u32>;
  /** Smaller is better. */
  private scores: StaticArray<f64>;
  private length: i32 = 0;

  constructor(limit: u32) {
    this.rows = new StaticArray<u32>(limit);
    this.scores = new StaticArray<f64>(limit);
  }

  /** As many as wanted are there. */
  get full(): bool {
    return this.length == this.rows.length;
  }

  /** Score of the worst row kept; call when `full`. */
  get worst(): f64 {
    return this.scores[0];
  }

  add(row: u32, score: f64): void {
    if (this.rows.length == 0) return;
    if (!this.full) {
      const last = this.length++;
      this.rows[last] = row;
      this.scores[last] = score;
      this.up(last);
    } else if (score < this.scores[0] || (score == this.scores[0] && idAt(row) < idAt(this.rows[0]))) {
      this.rows[0] = row;
      this.scores[0] = score;
      this.down(0, this.length);
    }
  }

  /** The cities, best first. Empties the heap. */
  take(): City[] {
    for (let last = this.length - 1; last > 0; last--) {
      this.swap(0, last);
      this.down(0, last);
    }
    const cities = new Array<City>(this.length);
    for (let i = 0; i < cities.length; i++) cities[i] = cityAt(this.rows[i]);
    this.length = 0;
    return cities;
  }

  private worse(a: i32, b: i32): bool {
    if (this.scores[a] != this.scores[b]) return this.scores[a] > this.scores[b];
    return idAt(this.rows[a]) > idAt(this.rows[b]);
  }

  private swap(a: i32, b: i32): void {
    const row = this.rows[a];
    const score = this.scores[a];
    this.rows[a] = this.rows[b];
    this.scores[a] = this.scores[b];
    this.rows[b] = row;
    this.scores[b] = score;
  }

  private up(from: i32): void {
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.worse(at, parent)) return;
      this.swap(at, parent);
      at = parent;
    }
  }

  private down(from: i32, length: i32): void {
    for (let at = from; ; ) {
      let child = 2 * at + 1;
      if (child >= length) return;
      if (child + 1 < length && this.worse(child + 1, child)) child++;
      if (!this.worse(child, at)) return;
      this.swap(at, child);
      at = child;
    }
  }
}
