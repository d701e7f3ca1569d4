/** The shape of a learning-rate schedule: up, down, and low at the end. */

export interface ScheduleShape {
  /** Length of the run. */
  readonly updates: number;
  readonly lr: number;
  /** Rate of the first update; `lr` without a warm-up. */
  readonly startLr: number;
  /** Share of `lr` that the last update is below. */
  readonly endBelow: number;
}

const SAMPLES = 1000;

/** Checks that a run's rates go from `startLr` up to `lr`, never above, and are down at the end. */
export function expectScheduleShape(
  rateOf: (update: number) => number,
  { updates, lr, startLr, endBelow }: ScheduleShape,
): void {
  const rates = Array.from({ length: SAMPLES }, (_, i) => rateOf(Math.round((i * (updates - 1)) / (SAMPLES - 1))));
  const largest = Math.max(...rates);
  expect(rates[0]! / startLr).toBeCloseTo(1, 3);
  expect(largest / lr).toBeLessThanOrEqual(1 + 1e-9);
  expect(largest / lr).toBeGreaterThan(0.95);
  expect(rates.at(-1)! / lr).toBeLessThan(endBelow);
  expect(Math.min(...rates)).toBeGreaterThan(0);
}
