/** Masks of single objects over a rectangle of their image: what is cut, pasted over and moved pixel by pixel. */
import { mask, type Polygons, type Rle, type Segmentation, type UncompressedRle } from '@cocoeval/ts';
import type { Rect, Size } from '@pyramidal/images';
import type { Corners } from '../dataset';

/** Pixel (x, y) of the image is `data[(y - region.y) * region.width + x - region.x]`, 0 or 1; outside it is 0. */
export interface RegionMask extends Rect {
  readonly data: Uint8Array;
}

/** Polygons as COCO draws them into a whole image, over the pixels around them. */
export function drawRegion(polygons: Polygons): RegionMask {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const polygon of polygons) {
    for (let i = 0; i + 1 < polygon.length; i += 2) {
      left = Math.min(left, polygon[i]!);
      right = Math.max(right, polygon[i]!);
      top = Math.min(top, polygon[i + 1]!);
      bottom = Math.max(bottom, polygon[i + 1]!);
    }
  }
  // What lies within the image stays where it is: a point of an edge just between two fifths is rounded to one side or the other by
  // the last bit of its coordinate, which a shift may change.
  const [x, y] = [Math.min(0, Math.floor(left) - 1), Math.min(0, Math.floor(top) - 1)];
  const [width, height] = [Math.max(1, Math.ceil(right) + 2 - x), Math.max(1, Math.ceil(bottom) + 2 - y)];
  const isMoved = x < 0 || y < 0;
  const moved = (value: number, i: number): number => snap(value) / STEPS - (i % 2 === 0 ? x : y);
  const drawn = isMoved ? polygons.map((polygon) => polygon.map(moved)) : polygons;
  const { data } = mask.decode(mask.merge(mask.fromPolygons(drawn, height, width)));
  return tight({ x, y, width, height, data });
}

/** COCO draws polygons on a grid of fifths; points are put on it before they move, so that none is rounded to another place. */
const STEPS = 5;
const snap = (value: number): number => Math.trunc(STEPS * value + 0.5);

/** A mask of its image's size, over the pixels around it. */
export function regionOfRuns(runs: Rle | UncompressedRle): RegionMask {
  const whole = mask.decode(runs);
  return tight({ x: 0, y: 0, width: whole.width, height: whole.height, data: whole.data });
}

export const regionOf = (segmentation: Segmentation): RegionMask =>
  Array.isArray(segmentation) ? drawRegion(segmentation as Polygons) : regionOfRuns(segmentation as Rle);

/** The part of a mask within a rectangle. */
export function cutRegion(region: RegionMask, window: Rect): RegionMask {
  const [x, y] = [Math.max(region.x, window.x), Math.max(region.y, window.y)];
  const width = Math.max(0, Math.min(region.x + region.width, window.x + window.width) - x);
  const height = Math.max(0, Math.min(region.y + region.height, window.y + window.height) - y);
  const data = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    const from = (y + row - region.y) * region.width + x - region.x;
    data.set(region.data.subarray(from, from + width), row * width);
  }
  return { x, y, width, height, data };
}

/** What is left of a mask behind others. */
export function subtractRegion(region: RegionMask, front: RegionMask): RegionMask {
  const data = region.data.slice();
  const overlap = cutRegion(front, region);
  for (let row = 0; row < overlap.height; row++) {
    const to = (overlap.y + row - region.y) * region.width + overlap.x - region.x;
    for (let column = 0; column < overlap.width; column++) {
      if (overlap.data[row * overlap.width + column] === 1) data[to + column] = 0;
    }
  }
  return { ...region, data };
}

export const areaOfRegion = ({ data }: RegionMask): number => data.reduce((sum, value) => sum + value, 0);

/** The edges of the pixels that a mask covers; nothing if it covers none. */
export function boundsOfRegion({ x, y, width, height, data }: RegionMask): Corners | undefined {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (data[row * width + column] === 0) continue;
      left = Math.min(left, column);
      right = Math.max(right, column);
      top = Math.min(top, row);
      bottom = row;
    }
  }
  return right < 0 ? undefined : [x + left, y + top, x + right + 1, y + bottom + 1];
}

/** The same mask over as few pixels as may be. */
export function tight(region: RegionMask): RegionMask {
  const bounds = boundsOfRegion(region);
  if (bounds === undefined) return { x: region.x, y: region.y, width: 0, height: 0, data: new Uint8Array(0) };
  const [x, y, right, bottom] = bounds;
  return cutRegion(region, { x, y, width: right - x, height: bottom - y });
}

/**
 * A mask whose pixels are those under the centres of the new ones.
 * @param covered the rectangle that the new mask lies in.
 * @param unmap from a point of the new image to the old one.
 */
export function resampleRegion(
  region: RegionMask,
  covered: Rect,
  unmap: (x: number, y: number) => readonly [x: number, y: number],
): RegionMask {
  const data = new Uint8Array(covered.width * covered.height);
  for (let row = 0; row < covered.height; row++) {
    for (let column = 0; column < covered.width; column++) {
      const [x, y] = unmap(covered.x + column + 0.5, covered.y + row + 0.5);
      data[row * covered.width + column] = at(region, Math.floor(x), Math.floor(y));
    }
  }
  return { ...covered, data };
}

/** The pixel at a place of the image. */
export function at({ x, y, width, height, data }: RegionMask, column: number, row: number): number {
  const [left, top] = [column - x, row - y];
  return left >= 0 && left < width && top >= 0 && top < height ? data[top * width + left]! : 0;
}

/** The whole pixels that a box touches. */
export function pixelsOf([x1, y1, x2, y2]: Corners): Rect {
  const [x, y] = [Math.floor(x1), Math.floor(y1)];
  return { x, y, width: Math.ceil(x2) - x, height: Math.ceil(y2) - y };
}

export const wholeOf = ({ width, height }: Size): Rect => ({ x: 0, y: 0, width, height });
