import { z } from 'zod';

/*
 * The parts that every task's configuration shares. A run is counted in epochs or in iterations (optimizer updates);
 * lengths such as `saveEvery` and `milestones` count the same, unless their name says otherwise.
 */

const positive = z.number().positive();
const nonNegative = z.number().nonnegative();
const fraction = z.number().min(0).max(1);
const count = z.int().min(1);
const stages = z.tuple([count, count, count, count]);

/** How the engine is opened. */
export const runtimeSchema = z
  .strictObject({
    engine: z.enum(['auto', 'tensorflow', 'tensorflow-gpu', 'wasm', 'cpu']).default('auto'),
    /** Threads of the engine; all cores where absent. */
    threads: count.optional(),
    /** bf16 halves the width of matrix products; everything else stays float32. */
    precision: z.enum(['float32', 'bf16']).default('float32'),
    /** Replay steps as one graph on engines that can. */
    compile: z.boolean().default(true),
  })
  .prefault({});

/** Parameters whose name starts with `match` learn at another pace; the first group that matches counts. */
const parameterGroup = z.strictObject({
  match: z.string().min(1),
  lrScale: nonNegative.default(1),
  decayScale: nonNegative.default(1),
});

const optimizerShared = {
  lr: positive,
  /** Also decay biases and the scales of norms (parameters of fewer than two dimensions). */
  decayNormsAndBiases: z.boolean(),
  groups: z.array(parameterGroup).default([]),
};

export const optimizerSchema = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('adamw'),
    ...optimizerShared,
    decayNormsAndBiases: optimizerShared.decayNormsAndBiases.default(false),
    weightDecay: nonNegative.default(0.05),
    betas: z.tuple([fraction, fraction]).default([0.9, 0.999]),
    epsilon: positive.default(1e-8),
  }),
  z.strictObject({
    name: z.literal('sgd'),
    ...optimizerShared,
    decayNormsAndBiases: optimizerShared.decayNormsAndBiases.default(true),
    weightDecay: nonNegative.default(1e-4),
    momentum: fraction.default(0.9),
    nesterov: z.boolean().default(false),
  }),
]);

const warmupSchema = z
  .strictObject({
    epochs: positive.optional(),
    iterations: count.optional(),
    /** Learning rate of the first step. */
    startLr: nonNegative.default(0),
    /** timm: a straight line up to the base rate; mmcv: the schedule's own value times a rising factor. */
    convention: z.enum(['timm', 'mmcv']).default('timm'),
    /** Start the schedule when the warm-up ends instead of beneath it. */
    shift: z.boolean().default(false),
    /** The last warm-up step is already at full height; otherwise the first one after it. */
    inclusive: z.boolean().default(false),
  })
  .refine(({ epochs, iterations }) => (epochs === undefined) !== (iterations === undefined), {
    error: 'expected one of epochs and iterations',
  });

const scheduleShared = {
  warmup: warmupSchema.optional(),
  /** When the rate changes: at every iteration, or once an epoch. */
  per: z.enum(['iteration', 'epoch']),
};

export const scheduleSchema = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('cosine'),
    ...scheduleShared,
    per: scheduleShared.per.default('iteration'),
    minLr: nonNegative.default(0),
  }),
  z.strictObject({
    name: z.literal('poly'),
    ...scheduleShared,
    per: scheduleShared.per.default('iteration'),
    power: positive.default(1),
    minLr: nonNegative.default(0),
  }),
  z.strictObject({
    name: z.literal('step'),
    warmup: warmupSchema.optional(),
    /** Epochs (or iterations) at which the rate is multiplied by `gamma`. */
    milestones: z.array(count).min(1),
    gamma: positive.default(0.1),
  }),
  z.strictObject({ name: z.literal('constant'), warmup: warmupSchema.optional() }),
]);

export const trainSchema = z
  .strictObject({
    epochs: count.optional(),
    iterations: count.optional(),
    batchSize: count,
    /** Batches whose gradients are averaged into one update. */
    accumulation: count.default(1),
    optimizer: optimizerSchema,
    schedule: scheduleSchema.default({ name: 'constant' }),
    /** Largest global norm of the gradient. */
    clipGradNorm: positive.optional(),
    /** Moving average of the weights: kept share per update. */
    ema: z.strictObject({ decay: fraction }).optional(),
    /** Run a backbone's blocks again in the backward pass instead of keeping what they computed: less memory, a little more time, same numbers. */
    recompute: z.boolean().default(false),
    seed: z.int().min(0).max(0x7fffffff).default(0),
    /** Updates between two lines of the log. */
    logEvery: count.default(50),
    /** Epochs (or iterations) between two checkpoints. */
    saveEvery: count.default(1),
    /** How many numbered checkpoints stay, besides `last` and `best`. */
    keep: z.int().min(0).default(0),
    /** What follows when a checkpoint cannot be written: go on and try again next time, or stop. */
    onSaveError: z.enum(['continue', 'stop']).default('continue'),
  })
  .refine(({ epochs, iterations }) => (epochs === undefined) !== (iterations === undefined), {
    error: 'expected one of epochs and iterations',
  });

export const evaluationSchema = z
  .strictObject({
    /** Epochs (or iterations) between two evaluations; the end of the run always has one. */
    every: count.default(1),
    /** Images at a time; the training batch size where absent. */
    batchSize: count.optional(),
    /** Evaluate the averaged weights where the run keeps them. */
    ema: z.boolean().default(true),
  })
  .prefault({});

/**
 * A backbone by the name of its published size.
 * @param names every size there is; the caller's, since configurations know no models.
 */
export const backboneSchema = <Name extends string>(names: readonly Name[]) =>
  z.strictObject({
    name: z.enum(names),
    /** Stochastic depth of the last block; the published recipe's where absent. */
    dropPath: fraction.optional(),
    /** The four stages, where they differ from the published size. */
    channels: stages.optional(),
    depths: stages.optional(),
    mlpRatios: stages.optional(),
  });
