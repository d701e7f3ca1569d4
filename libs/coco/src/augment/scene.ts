/** An image with its objects while it is augmented, and how one is moved into another. */
import type { Polygons, Segmentation } from '@cocoeval/ts';
import { type Rect, type RgbImage, type Size } from '@pyramidal/images';
import type { Corners, DetectionObject } from '../dataset';
import {
  areaOfRegion,
  boundsOfRegion,
  cutRegion,
  drawRegion,
  pixelsOf,
  type RegionMask,
  regionOf,
  resampleRegion,
} from './region-mask';

/** An object whose mask may have been cut. */
export interface SceneObject extends Omit<DetectionObject, 'segmentation'> {
  readonly segmentation: Segmentation | RegionMask | undefined;
}

export interface Scene {
  readonly image: RgbImage;
  readonly objects: readonly SceneObject[];
  /** Regions of many objects, and objects of which too little is left to be learned: neither object nor background. */
  readonly crowds: readonly SceneObject[];
}

/** The mask of an object over the pixels around it. */
export function maskOf({ segmentation }: Pick<SceneObject, 'segmentation'>): RegionMask | undefined {
  if (segmentation === undefined) return undefined;
  return isRegion(segmentation) ? segmentation : regionOf(segmentation);
}

export const isRegion = (segmentation: Segmentation | RegionMask): segmentation is RegionMask =>
  !Array.isArray(segmentation) && 'data' in segmentation;

/** Where a scene comes to lie: resized, mirrored, moved, and seen through a window. */
export interface Placement {
  readonly size: Size;
  readonly mirror: boolean;
  /** Of its upper left corner. */
  readonly offset: readonly [x: number, y: number];
  readonly window: Rect;
}

export type Visible = Pick<Scene, 'objects' | 'crowds'>;

/**
 * The objects of a scene that is placed in another: boxes and masks move along and are cut at the window.
 * @param minVisible an object of which a smaller share is left counts as a crowd.
 */
export function placeObjects(scene: Scene, placement: Placement, minVisible: number): Visible {
  const placed = scene.objects.map((object) => placeObject(object, scene.image, placement));
  const seen = placed.filter((found) => found !== undefined);
  const crowds = scene.crowds.map((crowd) =>
    placeObject({ ...crowd, segmentation: undefined }, scene.image, placement),
  );
  return {
    objects: seen.filter(({ share }) => share >= minVisible).map(({ object }) => object),
    crowds: [...seen.filter(({ share }) => share < minVisible), ...crowds.filter((found) => found !== undefined)].map(
      ({ object }) => object,
    ),
  };
}

interface Placed {
  readonly object: SceneObject;
  /** What of it lies within the window. */
  readonly share: number;
}

function placeObject(object: SceneObject, from: Size, { size, mirror, offset, window }: Placement): Placed | undefined {
  const [across, down] = [size.width / from.width, size.height / from.height];
  const mapX = (x: number): number => offset[0] + (mirror ? size.width - x * across : x * across);
  const mapY = (y: number): number => offset[1] + y * down;
  const [x1, y1, x2, y2] = object.box;
  const [a, b] = [mapX(x1), mapX(x2)];
  const box: Corners = [Math.min(a, b), mapY(y1), Math.max(a, b), mapY(y2)];
  if (object.segmentation === undefined) return cutBox(object, box, window);
  const { segmentation } = object;
  const whole = Array.isArray(segmentation)
    ? drawRegion(
        (segmentation as Polygons).map((polygon) =>
          polygon.map((value, i) => (i % 2 === 0 ? mapX(value) : mapY(value))),
        ),
      )
    : resampleRegion(maskOf(object)!, pixelsOf(box), (x, y) => {
        const left = x - offset[0];
        return [(mirror ? size.width - left : left) / across, (y - offset[1]) / down];
      });
  return cutMask(object, box, whole, window);
}

/** An object as far as a window shows it; nothing if it shows none of it. */
export function cutMask(object: SceneObject, box: Corners, whole: RegionMask, window: Rect): Placed | undefined {
  const segmentation = cutRegion(whole, window);
  const [area, left] = [areaOfRegion(whole), areaOfRegion(segmentation)];
  if (left === 0) return undefined;
  if (left === area && isInside(box, window)) return { object: { ...object, box, segmentation }, share: 1 };
  const tight = intersect(box, boundsOfRegion(segmentation)!);
  return tight && { object: { ...object, box: tight, segmentation }, share: left / area };
}

function cutBox(object: SceneObject, box: Corners, { x, y, width, height }: Rect): Placed | undefined {
  const cut = intersect(box, [x, y, x + width, y + height]);
  return cut && { object: { ...object, box: cut }, share: areaOfBox(cut) / areaOfBox(box) };
}

export function intersect(a: Corners, b: Corners): Corners | undefined {
  const box: Corners = [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])];
  return box[2] > box[0] && box[3] > box[1] ? box : undefined;
}

export const areaOfBox = ([x1, y1, x2, y2]: Corners): number => (x2 - x1) * (y2 - y1);

const isInside = ([x1, y1, x2, y2]: Corners, { x, y, width, height }: Rect): boolean =>
  x1 >= x && y1 >= y && x2 <= x + width && y2 <= y + height;
