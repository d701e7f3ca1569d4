/**
 * Simple Copy-Paste (Ghiasi et al., CVPR 2021, section 3): objects of one image, cut out by their masks, lie in another; what they hide is
 * taken from the objects behind them. Nothing is blended, which the paper finds as good.
 */
import { type Rect, type RgbImage, resizeImage, type Size } from '@pyramidal/images';
import type { Random } from '@pyramidal/random';
import { areaOfRegion, at, boundsOfRegion, pixelsOf, type RegionMask, subtractRegion } from './region-mask';
import { areaOfBox, intersect, maskOf, placeObjects, type Scene, type SceneObject } from './scene';

export interface CopyPasteOptions {
  /** Share of the images that objects are pasted into. */
  readonly probability: number;
  /** Range of the size of the other image, in sizes of this one. */
  readonly scale: readonly [smallest: number, largest: number];
}

/**
 * Pastes a random half of the objects of another scene that have masks.
 * @param minVisible an object of which a smaller share is left counts as a crowd.
 */
export function copyPaste(
  scene: Scene,
  other: Scene,
  { scale }: CopyPasteOptions,
  minVisible: number,
  random: Random,
): Scene {
  const { image } = scene;
  const size = sizeIn(image, other.image, random.uniform(...scale));
  const mirror = random.chance(0.5);
  const place = (free: number): number => Math.min(free, 0) + random.integer(Math.abs(free) + 1);
  const offset = [place(image.width - size.width), place(image.height - size.height)] as const;
  const chosen = other.objects.filter(({ segmentation }) => random.chance(0.5) && segmentation !== undefined);
  const placement = { size, mirror, offset, window: overlapOf(image, size, offset) };
  const { objects: pasted } = placeObjects({ ...other, objects: chosen, crowds: [] }, placement, minVisible);
  if (pasted.length === 0) return scene;
  const resized = resizeImage(other.image, { ...size, convention: 'opencv-bilinear', mirror });
  const masks = pasted.map((object) => maskOf(object)!);
  const canvas: RgbImage = { ...image, data: image.data.slice() };
  for (const mask of masks) pastePixels(canvas, resized, mask, offset);
  const behind = scene.objects.map((object) => hide(object, masks));
  return {
    image: canvas,
    objects: [...behind.flatMap(({ object, share }) => (share >= minVisible && share > 0 ? [object] : [])), ...pasted],
    crowds: [
      ...scene.crowds,
      ...behind.flatMap(({ object, share }) => (share > 0 && share < minVisible ? [object] : [])),
    ],
  };
}

/** Where the other image covers the canvas. */
function overlapOf(canvas: Size, { width, height }: Size, [left, top]: readonly [number, number]): Rect {
  const [x, y] = [Math.max(left, 0), Math.max(top, 0)];
  return { x, y, width: Math.min(canvas.width, left + width) - x, height: Math.min(canvas.height, top + height) - y };
}

/** The other image as large as it fits, times a factor. */
function sizeIn(canvas: Size, { width, height }: Size, factor: number): Size {
  const scale = factor * Math.min(canvas.width / width, canvas.height / height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

function pastePixels(canvas: RgbImage, from: RgbImage, mask: RegionMask, [left, top]: readonly [number, number]): void {
  for (let row = 0; row < mask.height; row++) {
    for (let column = 0; column < mask.width; column++) {
      if (mask.data[row * mask.width + column] === 0) continue;
      const [x, y] = [mask.x + column, mask.y + row];
      const source = ((y - top) * from.width + x - left) * 3;
      canvas.data.set(from.data.subarray(source, source + 3), (y * canvas.width + x) * 3);
    }
  }
}

/** An object behind others, and the share of it that is left. */
function hide(
  object: SceneObject,
  front: readonly RegionMask[],
): { readonly object: SceneObject; readonly share: number } {
  const touching = front.filter((mask) => intersect(object.box, cornersOf(mask)) !== undefined);
  if (touching.length === 0) return { object, share: 1 };
  const whole = maskOf(object);
  if (whole === undefined) return { object, share: 1 - coveredShare(object, touching) };
  const left = touching.reduce(subtractRegion, whole);
  const [before, after] = [areaOfRegion(whole), areaOfRegion(left)];
  if (after === before) return { object, share: 1 };
  const bounds = boundsOfRegion(left);
  const box = bounds && intersect(object.box, bounds);
  if (box === undefined) return { object, share: 0 };
  return { object: { ...object, box, segmentation: left }, share: after / before };
}

/** Of an object without a mask: how much of its box is covered. */
function coveredShare({ box }: SceneObject, front: readonly RegionMask[]): number {
  const { x, y, width, height } = pixelsOf(box);
  let covered = 0;
  for (let row = y; row < y + height; row++) {
    for (let column = x; column < x + width; column++)
      covered += Number(front.some((mask) => at(mask, column, row) === 1));
  }
  return Math.min(1, covered / areaOfBox(box));
}

const cornersOf = ({ x, y, width, height }: RegionMask): readonly [number, number, number, number] => [
  x,
  y,
  x + width,
  y + height,
];
