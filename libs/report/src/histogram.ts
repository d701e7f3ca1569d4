/** How often each count occurs. */
import type { Series } from './chart';

/** Counts of 0, 1, ... and of `most` or more, as shares of all. */
export function countSeries(name: string, counts: readonly number[], most = 20): Series {
  const bins = new Array<number>(most + 1).fill(0);
  for (const count of counts) bins[Math.min(most, count)]!++;
  const last = Math.max(...counts.map((count) => Math.min(most, count)), 0);
  return { name, points: bins.slice(0, last + 1).map((n, i) => [i === most ? `${most}+` : String(i), n]) };
}
