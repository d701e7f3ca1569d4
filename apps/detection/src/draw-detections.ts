/** Detections drawn on their picture. */
import type { DetectionClass } from '@pyramidal/coco';
import type { RgbImage, Size } from '@pyramidal/images';
import { drawAnnotations, PALETTE, tintMask } from '@pyramidal/pictures';
import type { Detection } from './batch-detector';
import { scaleMask } from './scale-mask';

/** An object that was found, or annotated and then without a score. */
export type Drawable = Omit<Detection, 'score'> & Partial<Pick<Detection, 'score'>>;

/** The objects of an image, in its pixels, best first. */
interface Found extends Size {
  readonly objects: readonly Drawable[];
}

/**
 * Draws masks, boxes and labels with scores; the best detections lie on top.
 * @param picture of the image, which may be smaller than it; masks are drawn on it itself.
 */
export function drawDetections(
  picture: RgbImage,
  { objects, width, height }: Found,
  classes: readonly Pick<DetectionClass, 'name'>[],
): Promise<RgbImage> {
  const [across, down] = [picture.width / width, picture.height / height];
  const order = [...objects].reverse();
  for (const { mask, label } of order) {
    if (mask !== undefined) tintMask(picture, scaleMask(mask, picture), colourOf(label));
  }
  const annotations = order.map(({ box: [x1, y1, x2, y2], label, score }) => ({
    box: [x1 * across, y1 * down, x2 * across, y2 * down] as const,
    colour: colourOf(label),
    label: score === undefined ? classes[label]!.name : `${classes[label]!.name} ${score.toFixed(2)}`,
  }));
  return drawAnnotations(picture, annotations);
}

const colourOf = (label: number) => PALETTE[label % PALETTE.length]!;
