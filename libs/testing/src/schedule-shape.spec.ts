/** The check of a schedule's shape fails where it should. */
import { expectScheduleShape } from './schedule-shape';

const shape = { updates: 101, lr: 1, startLr: 0.1, endBelow: 0.1 };

it('takes a rate that climbs, falls and ends low, and no other', () => {
  const rate = (update: number): number => (update < 10 ? 0.1 + 0.09 * update : 1 - (update - 10) / 91);
  expectScheduleShape(rate, shape);
  expect(() => expectScheduleShape((update) => 1.1 * rate(update), shape)).toThrow();
  expect(() => expectScheduleShape((update) => Math.max(0.5, rate(update)), shape)).toThrow();
  expect(() => expectScheduleShape((update) => rate(update) - 0.01, shape)).toThrow();
});
