/** aAcc, mIoU and mAcc of a segmentor over a split. */
import { evaluationItems, type EvaluationItem, type SegmentationSplit } from '@pyramidal/ade20k';
import { turnOf, type Workers } from '@pyramidal/distributed';
import { SegmentationEvaluator, type SegmentationMetrics } from '@pyramidal/segeval';
import type { Team } from '@pyramidal/task';
import type { Network } from '@pyramidal/upernet';
import { codingOf, evaluationTransform } from './assemble';
import type { SegmentationConfig } from './config';
import { segmentImage } from './segment-image';

export interface EvaluateOptions {
  readonly signal?: AbortSignal;
  /** The processes that evaluate together. */
  readonly team?: Team;
  /** Told of every map as it is counted, by the process that made it. */
  readonly onMap?: (item: EvaluationItem, map: Uint8Array) => Promise<void>;
}

/** Segments every image of a split once, at its own size, and counts. @returns the counts. */
export async function evaluateSegmentor(
  network: Network,
  config: SegmentationConfig,
  split: SegmentationSplit,
  classes: number,
  { signal, team, onMap }: EvaluateOptions = {},
): Promise<SegmentationEvaluator> {
  // Labels are classes or 255 already.
  const evaluator = new SegmentationEvaluator({ classes });
  const options = {
    samples: split.samples,
    coding: codingOf(config, classes),
    transform: evaluationTransform(config),
  };
  for await (const item of evaluationItems(options, { ...(signal && { signal }), share: team && turnOf(team) })) {
    const map = await segmentImage(network, item, config);
    evaluator.add(map, item.labels.data, item.label);
    await onMap?.(item, map);
  }
  return team === undefined ? evaluator : countsOfAll(evaluator, team);
}

/** What all processes counted. */
function countsOfAll(own: SegmentationEvaluator, team: Workers): SegmentationEvaluator {
  const { classes } = own;
  const all = new SegmentationEvaluator({ classes });
  for (const text of team.exchange(JSON.stringify([...own.confusion()]))) {
    const counts = JSON.parse(text) as number[];
    all.merge({ classes, confusion: () => counts });
  }
  return all;
}

/** The standard numbers. */
export const summarise = ({ mIoU, mAcc, aAcc }: SegmentationMetrics): { mIoU: number; mAcc: number; aAcc: number } => ({
  mIoU,
  mAcc,
  aAcc,
});
