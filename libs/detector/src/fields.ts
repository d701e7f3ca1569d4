/** Fields that the configurations of several detectors share; each detector gives its published values as defaults. */
import { z } from 'zod';
import type { DetectionOptions } from './detections';

export const fraction = z.number().min(0).max(1);
export const positive = z.number().positive();
export const count = z.int().min(1);

/** Shapes of anchors. */
export const anchors = (published: { readonly scales: readonly number[]; readonly ratios: readonly number[] }) =>
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

/** When crowds hide boxes from learning. */
export const ignoreShare = fraction
  .optional()
  .describe(
    'Boxes of which a crowd covers this share are not learned from as background; left out, crowds are background.',
  );

const LEFT = 'What is left of the detections.';

const suppression = (published: DetectionOptions) => ({
  scoreThreshold: fraction.default(published.scoreThreshold).describe('Detections below this score are left out.'),
  iouThreshold: fraction
    .default(published.iouThreshold)
    .describe('Overlap from which the lower of two detections of a class is left out.'),
  ...detectionCount(published),
});

const detectionCount = (published: { readonly count: number }) => ({
  count: count.default(published.count).describe('Detections of an image.'),
});

/** What suppression leaves. */
export const detections = (published: DetectionOptions) =>
  z.strictObject(suppression(published)).prefault({}).describe(LEFT);

/** What suppression leaves of the best candidates of each level. */
export const detectionsOfLevels = (published: DetectionOptions & { readonly perLevel: number }) =>
  z
    .strictObject({
      perLevel: count.default(published.perLevel).describe('Candidates of each level that suppression looks at.'),
      ...suppression(published),
    })
    .prefault({})
    .describe(LEFT);

/** What is left where nothing suppresses another. */
export const bestDetections = (published: { readonly count: number }) =>
  z.strictObject(detectionCount(published)).prefault({}).describe(LEFT);
