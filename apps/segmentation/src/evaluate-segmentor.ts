/** aAcc, mIoU and mAcc of a segmentor over a split. */
import { evaluationItems, type EvaluationItem, type SegmentationSplit } from '@pyramidal/ade20k';
import { SegmentationEvaluator, type SegmentationMetrics } from '@pyramidal/segeval';
import type { Network } from '@pyramidal/upernet';
import { codingOf, evaluationTransform } from './assemble';
import type { SegmentationConfig } from './config';
import { segmentImage } from './segment-image';

export interface EvaluateOptions {
  readonly signal?: AbortSignal;
  /** Told of every map as it is counted. */
  readonly onMap?: (item: EvaluationItem, map: Uint8Array) => Promise<void>;
}

/** Segments every image of a split once, at its own size, and counts. @returns the counts. */
export async function evaluateSegmentor(
  network: Network,
  config: SegmentationConfig,
  split: SegmentationSplit,
  classes: number,
  { signal, onMap }: EvaluateOptions = {},
): Promise<SegmentationEvaluator> {
  // Labels are classes or 255 already.
  const evaluator = new SegmentationEvaluator({ classes });
  const options = {
    samples: split.samples,
    coding: codingOf(config, classes),
    transform: evaluationTransform(config),
  };
  for await (const item of evaluationItems(options, signal)) {
    const map = await segmentImage(network, item, config);
    evaluator.add(map, item.labels.data, item.label);
    await onMap?.(item, map);
  }
  return evaluator;
}

/** The standard numbers. */
export const summarise = ({ mIoU, mAcc, aAcc }: SegmentationMetrics): { mIoU: number; mAcc: number; aAcc: number } => ({
  mIoU,
  mAcc,
  aAcc,
});
