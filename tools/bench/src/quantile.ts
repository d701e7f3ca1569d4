/** How measurements are spread. */

/**
 * Between two measurements the share of the way is taken.
 * @param values in any order. @param share from 0, the least, to 1, the greatest. @returns NaN where there are none.
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(place)] ?? NaN, sorted[Math.ceil(place)] ?? NaN];
  return below + (above - below) * (place % 1);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
