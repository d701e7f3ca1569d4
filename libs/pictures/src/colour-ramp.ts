/** Colours along a ramp. */
import type { Rgb } from '@pyramidal/images';

/** The colour at a share in [0, 1] of the way along a ramp of evenly spaced colours. */
export function rampColour(ramp: readonly Rgb[], share: number): Rgb {
  const place = share * (ramp.length - 1);
  const index = Math.min(Math.floor(place), ramp.length - 2);
  const [from, to] = [ramp[index]!, ramp[index + 1]!];
  const mixed = (c: 0 | 1 | 2): number => Math.round(from[c] + (to[c] - from[c]) * (place - index));
  return [mixed(0), mixed(1), mixed(2)];
}
