/** Masks of the network's grid as run-length masks of the image. */
import { mask, type Rle } from '@cocoeval/ts';
import type { ThreadFunction } from '@pyramidal/loading';
// Alone: threads that load no engine start at once and take little memory.
import { pasteMaskRuns } from '@pyramidal/mask-rcnn/mask-paste';

/** Masks of an image's detections, as the network gives them. */
export interface MaskTask {
  /** [D, side, side], probabilities over each detection's box. */
  readonly probabilities: Float32Array;
  readonly side: number;
  /** [D, 4], xyxy, pixels of the image. */
  readonly boxes: Float32Array;
  /** Of the image. */
  readonly height: number;
  readonly width: number;
}

/** Puts masks onto their image and packs them, one for each box. */
export async function encodeMasks({ probabilities, side, boxes, height, width }: MaskTask): Promise<Rle[]> {
  const cells = side * side;
  return Array.from({ length: boxes.length / 4 }, (_, i) => {
    const grid = probabilities.subarray(i * cells, (i + 1) * cells);
    const counts = pasteMaskRuns(grid, boxes.subarray(4 * i, 4 * i + 4), { height, width });
    return mask.fromUncompressed({ size: [height, width], counts });
  });
}

/** `encodeMasks` for worker threads. */
export const ENCODE_MASKS: ThreadFunction<[MaskTask], Rle[]> = {
  file: __filename,
  name: encodeMasks.name,
  run: encodeMasks,
};
