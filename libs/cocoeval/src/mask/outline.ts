/** Outlines of a bitmap's regions, along the edges of pixels. */

/** Steps along the edges of pixels: right, down, left, up. */
const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/** The pixels ahead of a corner, on the right-hand and on the left-hand side of each step, from the corner's own pixel. */
const AHEAD = [
  { right: [0, 0], left: [0, -1] },
  { right: [-1, 0], left: [0, 0] },
  { right: [-1, -1], left: [-1, 0] },
  { right: [0, -1], left: [-1, -1] },
] as const;

/**
 * The outer outlines of a bitmap's regions, clockwise, as polygons with a point at each corner. Pixels that touch at a corner
 * alone are of two regions.
 * @param pixels row by row, 0 outside.
 */
export function outlinesOf(pixels: Uint8Array, width: number, height: number): number[][] {
  const isInside = (x: number, y: number): boolean =>
    x >= 0 && y >= 0 && x < width && y < height && pixels[y * width + x] !== 0;
  /** Pixels whose upper edge lies on an outline that was walked. */
  const walked = new Uint8Array(width * height);
  const walk = (startX: number, startY: number): number[] => {
    const points: number[] = [];
    let [x, y, turn] = [startX, startY, 0];
    do {
      points.push(x, y);
      const [dx, dy] = STEPS[turn]!;
      const { right, left } = AHEAD[turn]!;
      do {
        if (turn === 0) walked[y * width + x] = 1;
        x += dx;
        y += dy;
      } while (isInside(x + right[0], y + right[1]) && !isInside(x + left[0], y + left[1]));
      turn = (turn + (isInside(x + right[0], y + right[1]) ? 3 : 1)) % 4;
    } while (x !== startX || y !== startY || turn !== 0);
    return points;
  };
  const outlines: number[][] = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!isInside(x, y) || isInside(x, y - 1) || walked[y * width + x] === 1) continue;
      const points = walk(x, y);
      if (isOuter(points)) outlines.push(points);
    }
  }
  return outlines;
}

/** The outlines of holes run the other way round. */
function isOuter(points: readonly number[]): boolean {
  let area = 0;
  for (let i = 0; i < points.length; i += 2) {
    const next = (i + 2) % points.length;
    area += points[i]! * points[next + 1]! - points[next]! * points[i + 1]!;
  }
  return area > 0;
}
