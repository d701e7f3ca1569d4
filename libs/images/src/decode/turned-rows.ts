/** What EXIF's tag means to the rows of a picture. */
import type { Rows } from '../resize/target';
import type { Size } from '../rgb-image';

/** What makes a picture of the stored one, by the tag: mirrors, then a turn by so many degrees clockwise. */
export const TURNS: Readonly<
  Record<number, { readonly angle?: number; readonly flip?: boolean; readonly flop?: boolean }>
> = {
  2: { flop: true },
  3: { angle: 180 },
  4: { flip: true },
  5: { angle: 90, flip: true },
  6: { angle: 90 },
  7: { angle: 270, flip: true },
  8: { angle: 270 },
};

/** Where rows of a picture lie in the stored one, whose size it is. @param tag EXIF's, 1 to 8. */
export function storedRows(
  { width, height }: Size,
  tag: number,
  { from, to }: Rows,
): { left: number; top: number; width: number; height: number } {
  const count = to - from;
  if (tag > 4) return { left: tag > 6 ? width - to : from, top: 0, width: count, height };
  return { left: 0, top: tag > 2 ? height - to : from, width, height: count };
}
