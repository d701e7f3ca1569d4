/**
 * The counter-based generator Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011),
 * seeded as TensorFlow's stateless random operations seed it.
 */
const ROUNDS = 10;
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const SCRAMBLE_KEY = [0x3ec8f720, 0x02461e29] as const;

type Words = [number, number, number, number];

/** `count` uniform 32-bit words (as int32) that depend on the two seeds alone. */
export function philoxWords(seed: readonly [number, number], count: number): Int32Array {
  const mixed = block([seed[0], seed[0] >> 31, seed[1], seed[1] >> 31], SCRAMBLE_KEY);
  const words = new Int32Array(count);
  for (let i = 0; i < count; i += 4) {
    const group = i / 4;
    const counter: Words = [group | 0, Math.floor(group / 2 ** 32) | 0, mixed[2], mixed[3]];
    words.set(block(counter, [mixed[0], mixed[1]]).slice(0, count - i), i);
  }
  return words;
}

/** `count` float32 values in [0, 1), from the low 23 bits of each word. */
export function philoxUniform(seed: readonly [number, number], count: number): Float32Array {
  return Float32Array.from(philoxWords(seed, count), (word) => (word & 0x7fffff) / 0x800000);
}

function block(counter: Words, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(c0, MULTIPLIER_0);
    const high1 = multiplyHigh(c2, MULTIPLIER_1);
    const low0 = Math.imul(c0, MULTIPLIER_0);
    const low1 = Math.imul(c2, MULTIPLIER_1);
    [c0, c1, c2, c3] = [high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0];
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  return [c0, c1, c2, c3];
}

/** The upper 32 bits of the product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const [aLow, aHigh] = [a & 0xffff, a >>> 16];
  const [bLow, bHigh] = [b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) | 0;
}
