const { max, min } = Math;

/** Intersection over union of `[x, y, width, height]` boxes at `a[i]`... and `b[j]`..., or over a's area if b is a crowd. */
export function boxIou(a: ArrayLike<number>, i: number, b: ArrayLike<number>, j: number, crowd: boolean): number {
  const ax = a[i] as number;
  const bx = b[j] as number;
  const aw = a[i + 2] as number;
  const bw = b[j + 2] as number;
  const width = min(aw + ax, bw + bx) - max(ax, bx);
  if (width <= 0) return 0;
  const ay = a[i + 1] as number;
  const by = b[j + 1] as number;
  const ah = a[i + 3] as number;
  const bh = b[j + 3] as number;
  const height = min(ah + ay, bh + by) - max(ay, by);
  if (height <= 0) return 0;
  const intersection = width * height;
  return intersection / (crowd ? aw * ah : aw * ah + bw * bh - intersection);
}

/** The outline of a box as a polygon, in the order that the COCO API draws it. */
export function boxOutline(x: number, y: number, width: number, height: number): number[] {
  return [x, y, x, y + height, x + width, y + height, x + width, y];
}
