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

/** Fields, to which a detector may add its own. */
export const detectionFields = (published: DetectionOptions) => ({
  scoreThreshold: fraction.default(published.scoreThreshold),
  iouThreshold: fraction.default(published.iouThreshold),
  /** Detections of an image. */
  count: count.default(published.count),
});

/** A matching that knows of crowds if the settings do. */
export function withIgnoreShare(
  match: MatchOptions,
  { ignoreShare }: { readonly ignoreShare?: number | undefined },
): MatchOptions {
  return ignoreShare === undefined ? match : { ...match, ignoreShare };
}
