/** Tables that find the place of an id in a list: open addressing, in which ids are 64-bit keys. */
import { allocate, allocateZeros } from './memory';

/** A table: by how much a hash is shifted to a slot, and where the slots are, each an id and its place plus one. */
const SLOT: u32 = 16;

/** Builds a table of different ids. */
export function idTable(ids: usize, count: u32): usize {
  let bits: u32 = 4;
  while (1 << bits < 2 * count) bits++;
  const slots: u32 = 1 << bits;
  const shift: u32 = 64 - bits;
  const table = allocate(16);
  const entries = allocateZeros(slots * SLOT);
  store<u32>(table, shift);
  store<usize>(table, entries, 4);
  for (let i: u32 = 0; i < count; i++) {
    const id = load<f64>(ids + (i << 3)) + 0.0; // -0 is 0
    let slot = slotOf(id, shift);
    while (load<u32>(entries + slot * SLOT, 8) !== 0) slot = (slot + 1) & (slots - 1);
    store<f64>(entries + slot * SLOT, id);
    store<u32>(entries + slot * SLOT, i + 1, 8);
  }
  return table;
}

/** Writes the place of each id, -1 for those that are not in the table. */
export function findIds(table: usize, ids: usize, count: u32, out: usize): void {
  const shift = load<u32>(table);
  const last: u32 = (1 << (64 - shift)) - 1;
  const entries = load<usize>(table, 4);
  for (let i: u32 = 0; i < count; i++) {
    const id = load<f64>(ids + (i << 3)) + 0.0;
    let slot = slotOf(id, shift);
    let place = load<u32>(entries + slot * SLOT, 8);
    while (place !== 0 && load<f64>(entries + slot * SLOT) !== id) {
      slot = (slot + 1) & last;
      place = load<u32>(entries + slot * SLOT, 8);
    }
    store<i32>(out + (i << 2), <i32>place - 1);
  }
}

/** Writes the values at some places. */
export function pick(values: usize, places: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(out + (i << 2), load<u32>(values + (load<u32>(places + (i << 2)) << 2)));
  }
}

/** The upper bits of a product depend on all bits of the id. */
function slotOf(id: f64, shift: u32): u32 {
  return <u32>((reinterpret<u64>(id) * 0x9e3779b97f4a7c15) >> shift);
}
