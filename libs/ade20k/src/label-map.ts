/** Maps of labels as training and evaluation use them. */
import { nearestIndex, type Rect, type Size } from '@pyramidal/images';

/** Label of pixels that do not count. */
export const IGNORE = 255;

/** One value a pixel, row by row: classes from 0 on, or `IGNORE`. */
export interface LabelMap extends Size {
  readonly data: Uint8Array;
}

/** Copies a rectangle; what lies outside the map becomes `IGNORE`. */
export function cropLabels({ data, width, height }: LabelMap, rect: Rect): LabelMap {
  const cropped = new Uint8Array(rect.width * rect.height).fill(IGNORE);
  const left = Math.max(rect.x, 0);
  const right = Math.min(rect.x + rect.width, width);
  for (let y = Math.max(rect.y, 0); y < Math.min(rect.y + rect.height, height); y++) {
    cropped.set(data.subarray(y * width + left, y * width + right), (y - rect.y) * rect.width + left - rect.x);
  }
  return { data: cropped, width: rect.width, height: rect.height };
}

/** Mirrors left and right. */
export function flipLabels({ data, width, height }: LabelMap): LabelMap {
  const flipped = data.slice();
  for (let y = 0; y < height; y++) flipped.subarray(y * width, (y + 1) * width).reverse();
  return { data: flipped, width, height };
}

/** Turns counterclockwise about the centre; what comes in becomes `IGNORE`. */
export function rotateLabels({ data, width, height }: LabelMap, degrees: number): LabelMap {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin, cx, cy] = [Math.cos(angle), Math.sin(angle), width / 2, height / 2];
  const turned = new Uint8Array(data.length).fill(IGNORE);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [across, down] = [x + 0.5 - cx, y + 0.5 - cy];
      const column = Math.floor(cos * across - sin * down + cx);
      const row = Math.floor(sin * across + cos * down + cy);
      const isInside = column >= 0 && column < width && row >= 0 && row < height;
      if (isInside) turned[y * width + x] = data[row * width + column]!;
    }
  }
  return { data: turned, width, height };
}

/** `cv2.resize(..., INTER_NEAREST)`. */
export function resizeLabels({ data, width, height }: LabelMap, size: Size): LabelMap {
  const columns = nearestIndex(width, size.width);
  const resized = new Uint8Array(size.width * size.height);
  nearestIndex(height, size.height).forEach((sourceRow, y) => {
    const [from, to] = [sourceRow * width, y * size.width];
    for (let x = 0; x < size.width; x++) resized[to + x] = data[from + columns[x]!]!;
  });
  return { data: resized, width: size.width, height: size.height };
}
