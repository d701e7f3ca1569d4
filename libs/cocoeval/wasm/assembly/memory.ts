/** Memory in the order in which it is asked for; it is given back all at once, from some place on. */

const ALIGNMENT: usize = 16;
const PAGE_BITS: u64 = 16;
/** The memory grows by at least as many. */
const PAGES_AT_ONCE: u64 = 16;
const MOST_PAGES: u64 = 65536;

let top: usize = (__heap_base + ALIGNMENT - 1) & ~(ALIGNMENT - 1);

/** Where the memory ends now. */
let bottom: u64 = 0;

/**
 * Room for so many bytes, of which a few more may be read or written; they hold what was there before. Where the memory
 * ends the run ends, and the host goes another way.
 */
export function allocate(bytes: usize): usize {
  const start = top;
  const end: u64 = (<u64>top + bytes + 2 * ALIGNMENT) & ~(<u64>ALIGNMENT - 1);
  if (end > bottom) grow(end);
  top = <usize>end;
  return start;
}

function grow(end: u64): void {
  const pages: u64 = (end >> PAGE_BITS) + 1;
  const there: u64 = memory.size();
  if (pages > MOST_PAGES) unreachable();
  if (pages > there) {
    const wished = min(max(pages - there, PAGES_AT_ONCE), MOST_PAGES - there);
    if (memory.grow(<i32>wished) < 0) unreachable();
  }
  bottom = (<u64>memory.size()) << PAGE_BITS;
}

/** Bytes that hold zeros. */
export function allocateZeros(bytes: usize): usize {
  const start = allocate(bytes);
  memory.fill(start, 0, bytes);
  return start;
}

/** Where the next bytes will be. */
export function mark(): usize {
  return top;
}

/** Bytes that can be asked for before the memory grows. */
export function room(): usize {
  return <usize>max(<i64>bottom - <i64>top, 0);
}

/** Gives everything back that came after a mark. */
export function release(at: usize): void {
  top = at;
}
