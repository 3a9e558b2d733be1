/**
 * Growth of the memory, in the place of that of the standard library, which doubles it: that cost 36 ms in the call that
 * met 16 MiB, and half of the memory was never used. A step of 4 MiB at most costs about 3 ms.
 */
function growMemory(root: Root, size: usize): void {
  const mostPages: i32 = 64;
  if (size >= SB_SIZE) size = roundSize(size);
  const pagesBefore = memory.size();
  // The new block is merged with the one at the end, or has a header of its own.
  size += BLOCK_OVERHEAD << usize((<usize>pagesBefore << 16) - BLOCK_OVERHEAD != changetype<usize>(GETTAIL(root)));
  const pagesNeeded = <i32>(((size + 0xffff) & ~0xffff) >>> 16);
  const pagesWanted = max(min(pagesBefore, mostPages), pagesNeeded);
  if (memory.grow(pagesWanted) < 0 && memory.grow(pagesNeeded) < 0) {
    throw new Error("out of memory: the backend has all that it may have");
  }
  addMemory(root, <usize>pagesBefore << 16, <u64>memory.size() << 16);
}
