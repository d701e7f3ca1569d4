/** Lists of plain numbers, 64 bytes at a time: what most of a file with outlines is. A bit of a mask stands for a byte. */

const COMMA: i8 = 0x2c;
const POINT: i8 = 0x2e;
const ZERO: i8 = 0x30;
const SPACE: i8 = 0x20;
const CLOSE_LIST: u32 = 0x5d;

/**
 * Passes over numbers without sign and exponent with commas between them, and at most one space behind a comma.
 * @param at where a number begins. @returns the bracket behind the last number, or where one begins that is not passed over.
 */
export function skipNumbers(at: usize): usize {
  let start = at;
  // What the bytes before these were: of any kind between numbers, a comma or the space behind it, a zero that begins a number,
  // digits behind a point.
  let wasBreak: u64 = 1;
  let wasComma: u64 = 0;
  let wasGap: u64 = 1;
  let wasZero: u64 = 0;
  let wasFraction: u64 = 0;
  while (true) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const c = v128.load(at, 32);
    const d = v128.load(at, 48);
    let digits = join(digitsOf(a), digitsOf(b), digitsOf(c), digitsOf(d));
    let commas = bytesOf(COMMA, a, b, c, d);
    let points = bytesOf(POINT, a, b, c, d);
    let spaces = bytesOf(SPACE, a, b, c, d);
    const others = ~(digits | commas | points | spaces);
    const length = ctz(others);
    if (others !== 0) {
      const within: u64 = ((<u64>1) << length) - 1;
      digits &= within;
      commas &= within;
      points &= within;
      spaces &= within;
    }
    const breaks = commas | points | spaces;
    const gaps = commas | spaces;
    const afterComma = (commas << 1) | wasComma;
    const zeros = bytesOf(ZERO, a, b, c, d) & ((gaps << 1) | wasGap);
    const fractions = (points << 1) | wasFraction;
    const ends = digits + fractions;
    const wrong =
      (breaks & ((breaks << 1) | wasBreak) & ~(spaces & afterComma)) |
      (spaces & ~afterComma) |
      (digits & ((zeros << 1) | wasZero)) |
      (points & ends & ~digits);
    if (wrong !== 0) return start;
    if (commas !== 0) start = at + 64 - <usize>clz(commas);
    if (others !== 0) {
      const end = at + <usize>length;
      const isBehindDigit = length > 0 ? (digits >> (length - 1)) & 1 : wasBreak ^ 1;
      return isBehindDigit !== 0 && load<u8>(end) === CLOSE_LIST ? end : start;
    }
    wasBreak = breaks >> 63;
    wasComma = commas >> 63;
    wasGap = gaps >> 63;
    wasZero = zeros >> 63;
    wasFraction = (points >> 63) | (ends < digits ? 1 : 0);
    at += 64;
  }
}

function digitsOf(bytes: v128): u64 {
  return mask(i8x16.le_u(i8x16.sub(bytes, i8x16.splat(ZERO)), i8x16.splat(9)));
}

function bytesOf(byte: i8, a: v128, b: v128, c: v128, d: v128): u64 {
  const wanted = i8x16.splat(byte);
  return join(
    mask(i8x16.eq(a, wanted)),
    mask(i8x16.eq(b, wanted)),
    mask(i8x16.eq(c, wanted)),
    mask(i8x16.eq(d, wanted)),
  );
}

function mask(bytes: v128): u64 {
  return <u64>(<u32>i8x16.bitmask(bytes));
}

function join(a: u64, b: u64, c: u64, d: u64): u64 {
  return a | (b << 16) | (c << 32) | (d << 48);
}
