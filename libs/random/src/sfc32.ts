/** The generator behind every seeded draw: sfc32 (Chris Doty-Humphrey, PractRand). */

/**
 * Numbers in [0, 2^32), one a call.
 * @param a three 32-bit words of state.
 */
export function sfc32(a: number, b: number, c: number): () => number {
  let counter = 1;
  return () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
}
