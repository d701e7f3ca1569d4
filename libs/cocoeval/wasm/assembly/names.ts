/**
 * Names of members, up to their values. A name is first looked for where the record before had it, for writers of files repeat
 * themselves: then one comparison of bytes takes the place of reading it.
 */
import { keyOf } from './keys';
import { COLON, QUOTE, skipSpace, skipText, take } from './plain-json';

/** Bytes of a name with its quotes, colon and space that are kept. */
const MOST_BYTES: usize = 16;
const MOST_MEMBERS: u32 = 16;

/** For each member of a record: its bytes, a bit for each, how many they are, and which name it is. */
const KEPT: u32 = 32;
const kept = memory.data(16 * 32, 16);

let member: u32 = 0;
let key: u32 = 0;

/** Begins a record. */
export function beginNames(): void {
  member = 0;
}

/** Which name was read last. */
export function lastKey(): u32 {
  return key;
}

/** Reads a name and what stands between it and its value. */
export function readName(at: usize): usize {
  at = skipSpace(at);
  const own = kept + min(member, MOST_MEMBERS - 1) * KEPT;
  member++;
  const bytes = load<u32>(own, 16);
  if (bytes !== 0 && (i8x16.bitmask(i8x16.eq(v128.load(at), v128.load(own))) & bytes) === bytes) {
    key = load<u32>(own, 24);
    return skipSpace(at + load<u32>(own, 20));
  }
  const start = at;
  at = take(at, QUOTE);
  if (at === 0) return 0;
  const name = at;
  at = skipText(at);
  if (at === 0) return 0;
  key = keyOf(name, at - 1 - name);
  at = take(at, COLON);
  if (at === 0) return 0;
  at = skipSpace(at);
  if (at - start <= MOST_BYTES) keep(own, start, at - start);
  return at;
}

function keep(own: usize, start: usize, length: usize): void {
  v128.store(own, v128.load(start));
  store<u32>(own, (1 << (<u32>length)) - 1, 16);
  store<u32>(own, <u32>length, 20);
  store<u32>(own, key, 24);
}
