/**
 * A growing array of numbers in pages: it never moves what it holds, so the dearest `push` costs one page and not a
 * copy of everything, as in `Array`. Pages are 2,048 elements; an element takes exactly its size.
 */

const pageShift: u32 = 11;
const pageLength: u32 = 1 << pageShift;
const pageMask: u32 = pageLength - 1;

export class PagedArray<T> {
  private pages: StaticArray<T>[] = [];
  length: u32 = 0;

  /** Adds an element and returns its index. */
  push(value: T): u32 {
    const index = this.length;
    if (index >> pageShift == this.pages.length) this.pages.push(new StaticArray<T>(pageLength));
    this.length = index + 1;
    unchecked(this.pages[index >> pageShift][index & pageMask] = value);
    return index;
  }

  /** Makes the array at least `length` long; new elements are 0. Costs by pages, not by elements. */
  extend(length: u32): void {
    if (length <= this.length) return;
    while (<u32>this.pages.length << pageShift < length) this.pages.push(new StaticArray<T>(pageLength));
    this.length = length;
  }

  get(index: u32): T {
    if (index >= this.length) throw new RangeError("index beyond the end of a PagedArray");
    return unchecked(this.pages[index >> pageShift][index & pageMask]);
  }

  set(index: u32, value: T): void {
    if (index >= this.length) throw new RangeError("index beyond the end of a PagedArray");
    unchecked(this.pages[index >> pageShift][index & pageMask] = value);
  }
}
