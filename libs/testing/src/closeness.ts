/** Comparison of numbers within a tolerance, as NumPy's `allclose`. */

export interface Tolerance {
  /** Share of the expected magnitude. */
  readonly rtol?: number;
  readonly atol?: number;
}

/**
 * Asserts |actual - expected| <= atol + rtol * |expected| for every element. NaN on either side fails.
 * @throws Error that names the worst element.
 */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { rtol = 0, atol = 0 }: Tolerance,
  what = 'values',
): void {
  if (actual.length !== expected.length) {
    throw new Error(`${what}: expected ${expected.length} elements, received ${actual.length}`);
  }
  let worst = { excess: 0, index: -1 };
  for (let index = 0; index < actual.length; index++) {
    const excess = Math.abs(actual[index]! - expected[index]!) - (atol + rtol * Math.abs(expected[index]!));
    if (!(excess <= worst.excess)) worst = { excess, index };
    if (Number.isNaN(excess)) break;
  }
  if (worst.index < 0) return;
  const { index } = worst;
  throw new Error(
    `${what}[${index}]: expected ${expected[index]} within ${atol} + ${rtol} * |expected|, received ${actual[index]}`,
  );
}
