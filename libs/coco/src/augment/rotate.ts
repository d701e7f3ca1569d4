/** Small turns of a whole image about its centre; boxes and masks turn along. */
import type { Polygons } from '@cocoeval/ts';
import { type Rgb, rotateImage, type Size } from '@pyramidal/images';
import type { Corners } from '../dataset';
import { boundsOfRegion, drawRegion, pixelsOf, resampleRegion, wholeOf } from './region-mask';
import { cutMask, intersect, isRegion, maskOf, type Scene, type SceneObject } from './scene';

/** Where a point of the turned image was, and where one goes. */
interface Turn {
  forth(x: number, y: number): readonly [x: number, y: number];
  back(x: number, y: number): readonly [x: number, y: number];
}

function turnOf({ width, height }: Size, degrees: number): Turn {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin, cx, cy] = [Math.cos(angle), Math.sin(angle), width / 2, height / 2];
  return {
    forth: (x, y) => [cos * (x - cx) + sin * (y - cy) + cx, cos * (y - cy) - sin * (x - cx) + cy],
    back: (x, y) => [cos * (x - cx) - sin * (y - cy) + cx, cos * (y - cy) + sin * (x - cx) + cy],
  };
}

/**
 * Turns a scene counterclockwise; what leaves the image is cut, what enters it has one colour.
 * @param minVisible an object of which a smaller share is left counts as a crowd.
 */
export function rotateScene({ image, objects, crowds }: Scene, degrees: number, fill: Rgb, minVisible: number): Scene {
  const turn = turnOf(image, degrees);
  const turned = objects.map((object) => rotateObject(object, image, turn)).filter((found) => found !== undefined);
  const moved = crowds.map(({ segmentation: _, ...crowd }) =>
    rotateObject({ ...crowd, segmentation: undefined }, image, turn),
  );
  return {
    image: rotateImage(image, degrees, 'bilinear', fill),
    objects: turned.filter(({ share }) => share >= minVisible).map(({ object }) => object),
    crowds: [...turned.filter(({ share }) => share < minVisible), ...moved.filter((found) => found !== undefined)].map(
      ({ object }) => object,
    ),
  };
}

type Turned = { readonly object: SceneObject; readonly share: number } | undefined;

function rotateObject(object: SceneObject, image: Size, turn: Turn): Turned {
  const { segmentation } = object;
  if (segmentation === undefined) return rotateBox(object, image, turn);
  if (Array.isArray(segmentation)) {
    const polygons = (segmentation as Polygons).map((polygon) => turnPoints(polygon, turn));
    return cutMask(object, boundsOf(polygons), drawRegion(polygons), wholeOf(image));
  }
  const whole = isRegion(segmentation) ? segmentation : maskOf(object)!;
  const corners = turnPoints([whole.x, whole.y, whole.x + whole.width, whole.y, whole.x + whole.width, whole.y + whole.height, whole.x, whole.y + whole.height], turn); // prettier-ignore
  const turned = resampleRegion(whole, pixelsOf(boundsOf([corners])), turn.back);
  const box = boundsOfRegion(turned);
  return box && cutMask(object, box, turned, wholeOf(image));
}

/** The box around a turned box, which is larger than the object where its mask is not known. */
function rotateBox(object: SceneObject, { width, height }: Size, turn: Turn): Turned {
  const [x1, y1, x2, y2] = object.box;
  const whole = boundsOf([turnPoints([x1, y1, x2, y1, x2, y2, x1, y2], turn)]);
  const box = intersect(whole, [0, 0, width, height]);
  const area = ([a, b, c, d]: Corners): number => (c - a) * (d - b);
  return box && { object: { ...object, box }, share: area(box) / area(whole) };
}

function turnPoints(points: readonly number[], { forth }: Turn): number[] {
  const turned: number[] = [];
  for (let i = 0; i + 1 < points.length; i += 2) turned.push(...forth(points[i]!, points[i + 1]!));
  return turned;
}

function boundsOf(polygons: readonly (readonly number[])[]): Corners {
  const [xs, ys] = [0, 1].map((axis) => polygons.flatMap((points) => points.filter((_, i) => i % 2 === axis))) as [
    number[],
    number[],
  ];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}
