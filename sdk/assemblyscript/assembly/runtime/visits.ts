/**
 * How the collector visits the entries of a Map and a Set: in parts (`collector.ts`), for they may be many. The transform
 * puts these methods in the place of those of the standard library.
 */

export class Map<K, V> {
  @unsafe private __visit(cookie: u32): void {
    __visit(changetype<usize>(this.buckets), cookie);
    const entries = changetype<usize>(this.entries);
    __visit(entries, cookie);
    if (isManaged<K>() || isManaged<V>()) {
      let current = entries + <usize>__onus_window_start(entries, this.entriesOffset) * ENTRY_SIZE<K, V>();
      const end = entries + <usize>__onus_window_end() * ENTRY_SIZE<K, V>();
      for (; current < end; current += ENTRY_SIZE<K, V>()) {
        const entry = changetype<MapEntry<K, V>>(current);
        if (entry.taggedNext & EMPTY) continue;
        if (isManaged<K>()) __visit(changetype<usize>(entry.key), cookie);
        if (isManaged<V>()) __visit(changetype<usize>(entry.value), cookie);
      }
    }
  }
}

export class Set<T> {
  @unsafe private __visit(cookie: u32): void {
    __visit(changetype<usize>(this.buckets), cookie);
    const entries = changetype<usize>(this.entries);
    __visit(entries, cookie);
    if (isManaged<T>()) {
      let current = entries + <usize>__onus_window_start(entries, this.entriesOffset) * ENTRY_SIZE<T>();
      const end = entries + <usize>__onus_window_end() * ENTRY_SIZE<T>();
      for (; current < end; current += ENTRY_SIZE<T>()) {
        const entry = changetype<SetEntry<T>>(current);
        if (entry.taggedNext & EMPTY) continue;
        __visit(changetype<usize>(entry.key), cookie);
      }
    }
  }
}
