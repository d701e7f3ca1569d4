/** What the settings of several detectors have in common. */
import { z } from '@pyramidal/config';

export const fraction = z.number().min(0).max(1);
export const positive = z.number().positive();
export const count = z.int().min(1);

export const anchorsSchema = (published: { readonly scales: readonly number[]; readonly ratios: readonly number[] }) =>
  z
    .strictObject({
      /** Sides of the anchors over a level's stride, and their heights over their widths. */
      scales: z
        .array(positive)
        .min(1)
        .default([...published.scales]),
      ratios: z
        .array(positive)
        .min(1)
        .default([...published.ratios]),
    })
    .prefault({});

/** Boxes are not learned from as background where a crowd covers this share of them; crowds are background where absent. */
export const ignoreShareSchema = fraction.optional();

interface PublishedDetections {
  readonly scoreThreshold: number;
  readonly iouThreshold: number;
  readonly count: number;
}

export const detectionFields = (published: PublishedDetections) => ({
  scoreThreshold: fraction.default(published.scoreThreshold),
  iouThreshold: fraction.default(published.iouThreshold),
  /** Detections of an image. */
  count: count.default(published.count),
});

/** What a matching knows of crowds. */
export function ignoring({ ignoreShare }: { readonly ignoreShare?: number | undefined }): { ignoreShare?: number } {
  return ignoreShare === undefined ? {} : { ignoreShare };
}
