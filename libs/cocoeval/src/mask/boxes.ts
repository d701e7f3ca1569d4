/** Boxes as COCO has them: `[x, y, width, height]` in pixels, of which a pixel covers [x, x + 1). */
import type { Box } from '../format/types';

const { max, min } = Math;

/** Intersection over union of the boxes at `a[i]`... and `b[j]`..., or over a's area if b is a crowd. */
export function boxIou(a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number, crowd: boolean): number {
  const intersection = boxIntersection(a, i, b, j);
  if (intersection < 0) return 0;
  const areaA = (a[i + 2] as number) * (a[i + 3] as number);
  if (crowd) return intersection / areaA;
  return intersection / (areaA + (b[j + 2] as number) * (b[j + 3] as number) - intersection);
}

/** Area in which the boxes at `a[i]`... and `b[j]`... overlap; -1 if they do not. */
export function boxIntersection(a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number): number {
  const ax = a[i] as number;
  const bx = b[j] as number;
  const width = min((a[i + 2] as number) + ax, (b[j + 2] as number) + bx) - max(ax, bx);
  if (width <= 0) return -1;
  const ay = a[i + 1] as number;
  const by = b[j + 1] as number;
  const height = min((a[i + 3] as number) + ay, (b[j + 3] as number) + by) - max(ay, by);
  return height <= 0 ? -1 : width * height;
}

/** The outline of a box as a polygon, in the order that the COCO API draws it. */
export function boxOutline([x, y, width, height]: Box): number[] {
  return [x, y, x, y + height, x + width, y + height, x + width, y];
}

/** The first four of some numbers as a box. */
export function asBox(values: ArrayLike<number>): Box {
  return [values[0] as number, values[1] as number, values[2] as number, values[3] as number];
}
