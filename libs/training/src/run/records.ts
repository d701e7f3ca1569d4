/** What the records in a run's folder look like; they are checked against this as they are read. */
import { z } from 'zod';

/** JSON has no NaN: it is written as null. */
export const metric = z
  .number()
  .nullable()
  .transform((value) => value ?? NaN);

const count = z.int().min(0);

/** The log's values since its last line. */
export const windowState = z.object({
  names: z.array(z.string()).readonly(),
  rows: z.array(z.array(metric).readonly()).readonly(),
});

/** What a checkpoint knows besides tensors. */
export const checkpointInfo = z.object({
  step: count,
  epoch: z.number(),
  updatesPerEpoch: z.int().min(1),
  seed: z.number(),
  config: z.string(),
  window: windowState.optional(),
  metrics: z.record(z.string(), metric).optional(),
  lossScale: z.object({ scale: z.number(), finite: count }).optional(),
});

/** `best.json` */
export const bestRecord = z.object({ metric: z.string(), value: z.number(), step: count });

/** `run.json` */
export const runRecord = z.object({ starts: z.array(z.unknown()) });

/** `split.json`: a share of the training images that was held out, and which. */
export const splitRecord = z.object({
  share: z.number(),
  seed: count,
  /** Images that are learned from. */
  training: count,
  /** Names of those that are measured on. */
  validation: z.array(z.string()).readonly(),
});

/** A line of `metrics.jsonl`. */
export const metricsLine = z.looseObject({ kind: z.enum(['train', 'evaluation']), step: count });
