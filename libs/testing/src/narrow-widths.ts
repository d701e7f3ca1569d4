/** Narrow networks for specs of what widths do not change. */

type Widths = readonly [number, number, number, number];

/** What widths are often a multiple of: the number of heads. */
const HEADS = 8;

/**
 * The narrowest of some widths in nearly the proportions of the published ones, or these.
 * @param isPossible whether a family can have them.
 */
export function narrowWidths(channels: Widths, isPossible: (widths: Widths) => boolean): Widths {
  const eighths = channels.map((width) => HEADS * Math.max(1, Math.round(width / 8 / HEADS)));
  const parts = [8, 6, 4, 3, 2].map((factor) => channels.map((width) => width / factor));
  const candidates = [eighths, ...parts].map(([a, b, c, d]): Widths => [a!, b!, c!, d!]);
  return candidates.find((widths) => widths.every(Number.isInteger) && isPossible(widths)) ?? channels;
}
