/** Decimal fractions rounded to the nearest double, ties to even, as IEEE 754 asks of parsers. */

/** Powers of five up to the last one that 64 bits hold. */
export const MOST_PLACES: i32 = 27;
const FIVES = memory.data<u64>([
  1, 5, 25, 125, 625, 3125, 15625, 78125, 390625, 1953125, 9765625, 48828125, 244140625, 1220703125, 6103515625,
  30517578125, 152587890625, 762939453125, 3814697265625, 19073486328125, 95367431640625, 476837158203125,
  2384185791015625, 11920928955078125, 59604644775390625, 298023223876953125, 1490116119384765625, 7450580596923828125,
]);

const BIAS: i64 = 1023;

/**
 * `digits` with a point before its last `places` ones: a quotient by a power of five of 64 bits, rounded to 53.
 * @param digits below 2^64. @param places from 0 to MOST_PLACES.
 */
export function decimal(digits: u64, places: i32): f64 {
  if (digits === 0) return 0;
  const five = load<u64>(FIVES + (places << 3));
  const up = clz(digits);
  const divisorUp = clz(five);
  const dividend = digits << up;
  const divisor = five << divisorUp;
  // A quotient of 64 bits, the first of them set, needs a dividend from half the divisor to the divisor.
  const isHalved: i64 = dividend >= divisor ? 1 : 0;
  const quotient = isHalved !== 0 ? divide(dividend >> 1, dividend << 63, divisor) : divide(dividend, 0, divisor);
  const power: i64 = <i64>divisorUp - <i64>up - 64 + isHalved - places;
  const cut = quotient & 0x7ff;
  let mantissa = quotient >> 11;
  if (cut > 0x400 || (cut === 0x400 && (remainder !== 0 || (mantissa & 1) !== 0))) mantissa++;
  return <f64>(<i64>mantissa) * reinterpret<f64>((power + 11 + BIAS) << 52);
}

let remainder: u64 = 0;

/** 128 bits by 64, of which the first is set, digit by digit of 32 bits (Knuth, Algorithm D); `high` is below the divisor. */
function divide(high: u64, low: u64, divisor: u64): u64 {
  const first = nextDigit(high, low >> 32, divisor);
  const second = nextDigit(remainder, low & 0xffffffff, divisor);
  return (first << 32) | second;
}

/** The 32 bits of (high 2^32 + next) / divisor, and what remains. */
function nextDigit(high: u64, next: u64, divisor: u64): u64 {
  const upper = divisor >> 32;
  const lower = divisor & 0xffffffff;
  let digit = high / upper;
  let rest = high - digit * upper;
  while (digit >> 32 !== 0 || digit * lower > ((rest << 32) | next)) {
    digit--;
    rest += upper;
    if (rest >> 32 !== 0) break;
  }
  remainder = ((high << 32) | next) - digit * divisor;
  return digit;
}
