/** Objects as records of COCO's results files. */
import type { CocoResult } from '@cocoeval/ts';
import type { Corners } from '@pyramidal/coco';
import type { DetectedObject } from './detection-work';

/** COCO's `[x, y, width, height]`. */
export const cocoBox = ([x1, y1, x2, y2]: Corners): [number, number, number, number] => [x1, y1, x2 - x1, y2 - y1];

/** A record of each object, with its box and, where it has one, its mask. @param imageId as the results name the image. */
export function cocoResults(objects: readonly DetectedObject[], imageId: number): CocoResult[] {
  return objects.map(({ categoryId, score, box, mask }) => ({
    image_id: imageId,
    category_id: categoryId,
    score,
    bbox: cocoBox(box),
    ...(mask && { segmentation: { size: mask.size, counts: mask.counts } }),
  }));
}
