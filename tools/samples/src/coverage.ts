/** The pixels that a shape covers. */
import { corners, type Shape } from './shapes';

/** The pixels of a square picture whose centres lie inside a shape's outline, by the even-odd rule: 1 there, else 0. */
export function coverage(shape: Shape, size: number): Uint8Array {
  const outline = corners(shape);
  const pixels = new Uint8Array(size * size);
  const range = (axis: 0 | 1): [first: number, end: number] => {
    const values = outline.map((point) => point[axis]);
    return [Math.max(Math.floor(Math.min(...values)), 0), Math.min(Math.ceil(Math.max(...values)), size)];
  };
  const [[left, right], [top, bottom]] = [range(0), range(1)];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) if (isInside(outline, x + 0.5, y + 0.5)) pixels[y * size + x] = 1;
  }
  return pixels;
}

function isInside(outline: ReturnType<typeof corners>, x: number, y: number): boolean {
  let inside = false;
  outline.forEach(([x1, y1], i) => {
    const [x2, y2] = outline[(i + 1) % outline.length]!;
    if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
  });
  return inside;
}
