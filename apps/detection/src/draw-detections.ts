/** Detections drawn on their picture. */
import { mask as masks } from '@cocoeval/ts';
import type { DetectionClass } from '@pyramidal/coco';
import { type RgbImage } from '@pyramidal/images';
import { drawAnnotations, PALETTE, tintMask } from '@pyramidal/pictures';
import type { Detection } from './batch-detector';

/** Draws masks, boxes and labels with scores; the best detections lie on top. */
export function drawDetections(
  image: RgbImage,
  detections: readonly Detection[],
  classes: readonly DetectionClass[],
): Promise<RgbImage> {
  const order = [...detections].reverse();
  const tinted = order.reduce(
    (drawn, { mask, label }) =>
      mask === undefined ? drawn : tintMask(drawn, masks.decode(mask).data, colourOf(label)),
    image,
  );
  const annotations = order.map(({ box, label, score }) => {
    return { box, colour: colourOf(label), label: `${classes[label]!.name} ${score.toFixed(2)}` };
  });
  return drawAnnotations(tinted, annotations);
}

const colourOf = (label: number) => PALETTE[label % PALETTE.length]!;
