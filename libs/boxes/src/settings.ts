/** Settings that the configurations of several detectors share; each detector gives its published values as defaults. */
import { z } from 'zod';
import type { DetectionOptions } from './detections';
import type { MatchOptions } from './matcher';

export const fraction = z.number().min(0).max(1);
export const positive = z.number().positive();
export const count = z.int().min(1);

export const anchorsSchema = (published: { readonly scales: readonly number[]; readonly ratios: readonly number[] }) =>
  z
    .strictObject({
      scales: z
        .array(positive)
        .min(1)
        .default([...published.scales])
        .describe("Sides of the anchors over a level's stride."),
      ratios: z
        .array(positive)
        .min(1)
        .default([...published.ratios])
        .describe('Heights of the anchors over their widths.'),
    })
    .prefault({});

export const ignoreShareSchema = fraction
  .optional()
  .describe(
    'Boxes of which a crowd covers this share are not learned from as background; left out, crowds are background.',
  );

/** Fields, to which a detector may add its own. */
export const detectionFields = (published: DetectionOptions) => ({
  scoreThreshold: fraction.default(published.scoreThreshold).describe('Detections below this score are left out.'),
  iouThreshold: fraction
    .default(published.iouThreshold)
    .describe('Overlap from which the lower of two detections of a class is left out.'),
  count: count.default(published.count).describe('Detections of an image.'),
});

/** A matching that knows of crowds if the settings do. */
export function withIgnoreShare(
  match: MatchOptions,
  { ignoreShare }: { readonly ignoreShare?: number | undefined },
): MatchOptions {
  return ignoreShare === undefined ? match : { ...match, ignoreShare };
}
