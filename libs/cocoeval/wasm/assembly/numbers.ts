/** Numbers of JSON, rounded as a parser must. Readers take and return places as in plain-json.ts. */
import { MOST_PLACES, decimal } from './decimal';
import { parseNumber } from './host';
import { CLOSE_LIST, COMMA, MINUS, OPEN_LIST, PLUS, POINT, SPACE, ZERO, refuse, skipSpace, take } from './plain-json';

/** Digits whose number, and powers of ten that, a double holds exactly: one division then rounds as a parser must. */
const EXACT_DIGITS: usize = 15;
/** Digits that 64 bits hold. */
const MOST_DIGITS: usize = 19;
const POWERS = memory.data<f64>([1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]);

let value: f64 = 0;

/** The number read last. */
export function lastNumber(): f64 {
  return value;
}

/** Reads the number that begins here, for `lastNumber`: one of fewer than 16 bytes without exponent all digits at once. */
export function readNumber(at: usize): usize {
  const isNegative = load<u8>(at) === MINUS;
  const first = isNegative ? at + 1 : at;
  const digits = i8x16.sub(v128.load(first), i8x16.splat(<i8>ZERO));
  const isDigit: u32 = i8x16.bitmask(i8x16.le_u(digits, i8x16.splat(9)));
  const whole: u32 = ctz(~isDigit);
  let fraction: u32 = 0;
  let length = whole;
  if (load<u8>(first + whole) === POINT) {
    fraction = ctz(~(isDigit >> (whole + 1)));
    length = fraction === 0 ? 16 : whole + 1 + fraction;
  }
  const byte: u32 = load<u8>(first + length);
  const isUsual =
    whole > 0 &&
    length < 16 &&
    byte !== 0 &&
    (byte | 0x20) !== 0x65 /* e */ &&
    (whole === 1 || load<u8>(first) !== ZERO);
  if (!isUsual) return readAnyNumber(at);
  const magnitude = magnitudeOf(digits, whole, fraction);
  value = isNegative ? -magnitude : magnitude;
  return first + length;
}

/** The number of so many digits before a point and behind it, 15 at most. */
function magnitudeOf(digits: v128, whole: u32, fraction: u32): f64 {
  // Places from the left with which the last digit comes last; negative ones give zeros.
  const places = i8x16.add(
    i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    i8x16.splat(<i8>(whole + fraction - 16)),
  );
  const beyondPoint = i8x16.sub(places, i8x16.ge_s(places, i8x16.splat(<i8>whole)));
  const ones = i8x16.swizzle(digits, beyondPoint);
  const tens = i16x8.mul(v128.and(ones, i16x8.splat(0xff)), i16x8.splat(10));
  const hundreds = i16x8.add(tens, i16x8.shr_u(ones, 8));
  const fours = i32x4.dot_i16x8_s(hundreds, i16x8(100, 1, 100, 1, 100, 1, 100, 1));
  const upper = i32x4.extract_lane(fours, 0) * 10000 + i32x4.extract_lane(fours, 1);
  const lower = i32x4.extract_lane(fours, 2) * 10000 + i32x4.extract_lane(fours, 3);
  const magnitude = <f64>(<i64>upper * 100000000 + <i64>lower);
  return fraction > 0 ? magnitude / load<f64>(POWERS + (fraction << 3)) : magnitude;
}

/** The same for any number, digit by digit. */
function readAnyNumber(at: usize): usize {
  const start = at;
  if (load<u8>(at) === MINUS) at++;
  const whole = at;
  let mantissa: i64 = 0;
  let digit: u32 = <u32>load<u8>(at) - ZERO;
  while (digit <= 9) {
    mantissa = 10 * mantissa + digit;
    digit = <u32>load<u8>(++at) - ZERO;
  }
  let digits = at - whole;
  if (digits === 0 || (digits > 1 && load<u8>(whole) === ZERO)) return refuse(at);
  let fraction: usize = 0;
  if (digit + ZERO === POINT) {
    const first = ++at;
    digit = <u32>load<u8>(at) - ZERO;
    while (digit <= 9) {
      mantissa = 10 * mantissa + digit;
      digit = <u32>load<u8>(++at) - ZERO;
    }
    fraction = at - first;
    digits += fraction;
    if (fraction === 0) return refuse(at);
  }
  const byte = digit + ZERO;
  if (byte === 0) return refuse(at);
  if (digits > EXACT_DIGITS || (byte | 0x20) === 0x65 /* e */)
    return readLongNumber(start, whole, at, digits, fraction, mantissa);
  let magnitude = <f64>mantissa;
  if (fraction > 0) magnitude /= load<f64>(POWERS + (fraction << 3));
  value = whole > start ? -magnitude : magnitude;
  return at;
}

/** The rest of a number of many digits, or with an exponent, which begins at `at`. */
function readLongNumber(start: usize, whole: usize, at: usize, digits: usize, fraction: usize, mantissa: i64): usize {
  const end = at;
  if (((<u32>load<u8>(at)) | 0x20) === 0x65 /* e */) {
    at = skipExponent(at);
    if (at === 0) return 0;
  }
  const places = <i32>fraction - exponentOf(end, at);
  if (digits - leadingZeros(whole) <= MOST_DIGITS && places >= 0 && places <= MOST_PLACES) {
    const magnitude = decimal(<u64>mantissa, places);
    value = whole > start ? -magnitude : magnitude;
    return at;
  }
  value = parseNumber(start, at);
  return isFinite(value) ? at : refuse(start);
}

/** How many zeros a number begins with. */
function leadingZeros(at: usize): usize {
  let zeros: usize = 0;
  while (load<u8>(at) === ZERO || load<u8>(at) === POINT) {
    if (load<u8>(at) === ZERO) zeros++;
    at++;
  }
  return zeros;
}

/** An exponent of up to three digits, from its letter on; of more some that is too large. */
function exponentOf(at: usize, end: usize): i32 {
  if (at === end) return 0;
  const sign: u32 = load<u8>(++at);
  if (sign === PLUS || sign === MINUS) at++;
  if (end - at > 3) return i16.MAX_VALUE;
  let exponent = 0;
  for (; at < end; at++) exponent = 10 * exponent + (load<u8>(at) - ZERO);
  return sign === MINUS ? -exponent : exponent;
}

/** Reads exactly so many numbers in a list to `out`. */
export function readNumbers(at: usize, count: i32, out: usize): usize {
  const end = readShortNumbers(at, count, out);
  if (end !== 0) return end;
  at = take(at, OPEN_LIST);
  for (let i = 0; i < count && at !== 0; i++) {
    if (i > 0) {
      at = take(at, COMMA);
      if (at === 0) return 0;
    }
    at = readNumber(skipSpace(at));
    store<f64>(out + (i << 3), value);
  }
  return at === 0 ? 0 : take(at, CLOSE_LIST);
}

/**
 * The same for numbers as most are, of which 32 bytes hold all: without sign and exponent, a comma and at most one space between.
 * @returns 0 where they are others; nothing is refused.
 */
function readShortNumbers(at: usize, count: i32, out: usize): usize {
  if (load<u8>(at) !== OPEN_LIST) return 0;
  const first = at + 1;
  const digits = bytesBetween(first, ZERO, 9);
  const points = bytesBetween(first, POINT, 0);
  let ends = ~(digits | points);
  let start: u32 = 0;
  for (let i = 0; i < count; i++) {
    if (ends === 0) return 0;
    const end: u32 = ctz(ends);
    ends &= ends - 1;
    const length = end - start;
    const point = (points >> start) & ((1 << length) - 1);
    const whole: u32 = point === 0 ? length : ctz(point);
    const fraction = point === 0 ? 0 : length - whole - 1;
    if (whole === 0 || length > 15 || (point !== 0 && (fraction === 0 || (point & (point - 1)) !== 0))) return 0;
    if (whole > 1 && load<u8>(first + start) === ZERO) return 0;
    const bytes = i8x16.sub(v128.load(first + start), i8x16.splat(<i8>ZERO));
    store<f64>(out + (i << 3), magnitudeOf(bytes, whole, fraction));
    if (load<u8>(first + end) !== (i === count - 1 ? CLOSE_LIST : COMMA)) return 0;
    start = end + 1;
    if (load<u8>(first + start) === SPACE) {
      ends &= ends - 1;
      start++;
    }
  }
  return first + start;
}

/** A bit for each of 32 bytes that is from `least` to `least + more`. */
function bytesBetween(at: usize, least: u32, more: u32): u32 {
  const lower = i8x16.le_u(i8x16.sub(v128.load(at), i8x16.splat(<i8>least)), i8x16.splat(<i8>more));
  const upper = i8x16.le_u(i8x16.sub(v128.load(at, 16), i8x16.splat(<i8>least)), i8x16.splat(<i8>more));
  return i8x16.bitmask(lower) | (i8x16.bitmask(upper) << 16);
}

/** Passes over a number. */
export function skipNumber(at: usize): usize {
  if (load<u8>(at) === MINUS) at++;
  const whole = at;
  at = skipDigits(at);
  if (at === whole || (at > whole + 1 && load<u8>(whole) === ZERO)) return refuse(at);
  if (load<u8>(at) === POINT) {
    const first = ++at;
    at = skipDigits(at);
    if (at === first) return refuse(at);
  }
  const byte: u32 = load<u8>(at);
  if (byte === 0) return refuse(at);
  return (byte | 0x20) === 0x65 /* e */ ? skipExponent(at) : at;
}

function skipDigits(at: usize): usize {
  while (<u32>load<u8>(at) - ZERO <= 9) at++;
  return at;
}

/** From the letter e on. */
function skipExponent(at: usize): usize {
  const sign: u32 = load<u8>(++at);
  if (sign === PLUS || sign === MINUS) at++;
  const first = at;
  at = skipDigits(at);
  return at === first || load<u8>(at) === 0 ? refuse(at) : at;
}
