/** Detections drawn on their picture. */
import { mask, type Rle } from '@cocoeval/ts';
import type { DetectionClass } from '@pyramidal/coco';
import type { RgbImage, Size } from '@pyramidal/images';
import { drawAnnotations, type LegendEntry, PALETTE, tintMask } from '@pyramidal/pictures';
import type { Detection } from './batch-detector';
import { scaleMask } from './scale-mask';

/** An object that was found, or annotated and then without a score. */
export type Drawable = Omit<Detection, 'score'> & Partial<Pick<Detection, 'score'>>;

/** The objects of an image, in its pixels, best first. */
interface Found extends Size {
  readonly objects: readonly Drawable[];
}

export interface DrawOptions {
  /** Masks are drawn as outlines, in place of their boxes. */
  readonly polygons?: boolean;
  /** Where not every object has room for its label, the meanings of the colours stand at the right of the picture. */
  readonly legend?: boolean;
}

/**
 * Draws masks, boxes and labels with scores; the best detections lie on top.
 * @param picture of the image, which may be smaller than it; masks are drawn on it itself.
 */
export function drawDetections(
  picture: RgbImage,
  { objects, width, height }: Found,
  classes: readonly Pick<DetectionClass, 'name'>[],
  { polygons = false, legend = false }: DrawOptions = {},
): Promise<RgbImage> {
  const [across, down] = [picture.width / width, picture.height / height];
  const order = [...objects].reverse();
  const bitmap = new Uint8Array(picture.width * picture.height); // one for all masks, of a large picture too
  const annotations = order.map(({ box: [x1, y1, x2, y2], label, score, mask: pixels }) => {
    const isOutlined = polygons && pixels !== undefined;
    if (pixels !== undefined && !isOutlined) {
      tintMask(picture, scaleMask(pixels, picture, bitmap), colourOf(label));
    }
    return {
      box: [x1 * across, y1 * down, x2 * across, y2 * down] as const,
      ...(isOutlined && { outlines: outlinesOf(pixels, [across, down]) }),
      colour: colourOf(label),
      label: score === undefined ? classes[label]!.name : `${classes[label]!.name} ${score.toFixed(2)}`,
    };
  });
  return drawAnnotations(picture, annotations, legend ? legendOf(objects, classes) : []);
}

/** Outlines of a mask in pixels of the picture. */
const outlinesOf = (rle: Rle, scales: readonly [across: number, down: number]): number[][] =>
  mask.toPolygons(rle).map((points) => points.map((value, i) => value * scales[i % 2]!));

/** The classes in a picture with the number of their objects, the most frequent first. */
function legendOf(objects: readonly Drawable[], classes: readonly Pick<DetectionClass, 'name'>[]): LegendEntry[] {
  const counts = new Map<number, number>();
  for (const { label } of objects) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([label, count]) => ({ name: `${classes[label]!.name} ${count}`, colour: colourOf(label) }));
}

const colourOf = (label: number) => PALETTE[label % PALETTE.length]!;
