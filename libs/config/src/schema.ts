/** The parts of a configuration that every task has. */
import { z } from 'zod';
import { only, readBy } from './readers';

/*
 * The parts that every task's configuration shares. A run is counted in epochs or in iterations (optimizer updates);
 * lengths such as `saveEvery` and `milestones` count the same, unless their name says otherwise.
 */

const positive = z.number().positive();
const nonNegative = z.number().nonnegative();
const fraction = z.number().min(0).max(1);
/** A share of which some must be left: by that rest something is divided, or nothing else would ever change it. */
const lessThanAll = z.number().min(0).lt(1);
const count = z.int().min(1);
const fourStages = (largest: number) => {
  const value = count.max(largest);
  return z.tuple([value, value, value, value]);
};

/** How the engine is opened. */
export const runtimeSchema = z
  .strictObject({
    engine: z
      .enum(['auto', 'tensorflow', 'tensorflow-gpu', 'webgpu', 'wasm', 'cpu'])
      .default('auto')
      .describe(
        'What computes: native TensorFlow, on an NVIDIA card, any card (experimental), WebAssembly, plain JavaScript (tests); auto takes the best one there is, never webgpu.',
      ),
    threads: count.optional().describe('Threads of the engine; all cores where absent.'),
    precision: z
      .enum(['float32', 'bf16', 'fp16'])
      .default('float32')
      .describe(
        'Width of matrix products and convolutions in training; sums, norms, losses, weights and optimizer stay float32. fp16 scales the loss. Other than float32 needs TensorFlow.',
      )
      .register(readBy, only()),
    xla: z
      .boolean()
      .default(false)
      .describe('Let XLA compile the steps of a training. The first step of each shape takes longer. Needs TensorFlow.')
      .register(readBy, only()),
    compile: z
      .boolean()
      .default(true)
      .describe('Replay steps as one graph on engines that can.')
      .register(readBy, only('eval', 'predict', 'serve')),
  })
  .prefault({});

/** Parameters whose name starts with `match` learn at another pace; the first group that matches counts. */
const parameterGroup = z.strictObject({
  match: z
    .string()
    .min(1)
    .describe("The beginning of parameters' names; `*` stands for any text. The first group that matches counts."),
  lrScale: nonNegative.default(1).describe('Factor on the learning rate.'),
  decayScale: nonNegative.default(1).describe('Factor on the weight decay.'),
});

const optimizerShared = {
  lr: positive.describe('Learning rate of an update of the whole batch, accumulation included.'),
  decayNormsAndBiases: z
    .boolean()
    .describe('Also decay biases and the scales of norms (parameters of fewer than two dimensions).'),
  groups: z.array(parameterGroup).default([]).describe('Parameters that learn at another pace.'),
};

const optimizerSchema = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('adamw'),
    ...optimizerShared,
    decayNormsAndBiases: optimizerShared.decayNormsAndBiases.default(false),
    weightDecay: nonNegative.default(0.05).describe('Weight decay, apart from the gradient.'),
    betas: z
      .tuple([lessThanAll, lessThanAll])
      .default([0.9, 0.999])
      .describe("Memory of the gradient's mean and of its square's."),
    epsilon: positive.default(1e-8).describe('Added to the divisor.'),
  }),
  z.strictObject({
    name: z.literal('sgd'),
    ...optimizerShared,
    decayNormsAndBiases: optimizerShared.decayNormsAndBiases.default(true),
    weightDecay: nonNegative.default(1e-4).describe('Weight decay, part of the gradient.'),
    momentum: fraction.default(0.9).describe('Memory of past updates.'),
    nesterov: z.boolean().default(false).describe('Look ahead along the momentum.'),
  }),
]);

const warmupSchema = z
  .strictObject({
    epochs: positive.optional().describe('Length in epochs, which may be a fraction; or `iterations`.'),
    iterations: count.optional().describe('Length in updates.'),
    startLr: nonNegative.default(0).describe('Learning rate of the first step.'),
    convention: z
      .enum(['timm', 'mmcv'])
      .default('timm')
      .describe("timm: a straight line up to the base rate; mmcv: the schedule's own value times a rising factor."),
    shift: z.boolean().default(false).describe('Start the schedule when the warm-up ends instead of beneath it.'),
    inclusive: z
      .boolean()
      .default(false)
      .describe('The last warm-up step is already at full height; otherwise the first one after it.'),
  })
  .refine(({ epochs, iterations }) => (epochs === undefined) !== (iterations === undefined), {
    error: 'expected one of epochs and iterations',
  });

const scheduleShared = {
  warmup: warmupSchema.optional().describe('How the rate rises at the beginning.'),
  per: z.enum(['iteration', 'epoch']).describe('When the rate changes: at every iteration, or once an epoch.'),
};

const scheduleSchema = z.discriminatedUnion('name', [
  z.strictObject({
    name: z.literal('cosine'),
    ...scheduleShared,
    per: scheduleShared.per.default('iteration'),
    minLr: nonNegative.default(0).describe('Rate at the end.'),
  }),
  z.strictObject({
    name: z.literal('poly'),
    ...scheduleShared,
    per: scheduleShared.per.default('iteration'),
    power: positive.default(1).describe('Of the polynomial.'),
    minLr: nonNegative.default(0).describe('Rate at the end.'),
  }),
  z.strictObject({
    name: z.literal('step'),
    warmup: scheduleShared.warmup,
    milestones: z.array(count).min(1).describe('Epochs (or iterations) at which the rate is multiplied by `gamma`.'),
    gamma: positive.default(0.1).describe('Factor on the rate at each milestone.'),
  }),
  z.strictObject({ name: z.literal('constant'), warmup: scheduleShared.warmup }),
]);

export const trainSchema = z
  .strictObject({
    epochs: count.optional().describe('Length of the run; or `iterations`.'),
    iterations: count.optional().describe('Length of the run in updates.'),
    batchSize: z
      .union([z.literal('auto'), count])
      .describe(
        'Images at a time. `auto` takes the largest power of two up to 64 that free main memory holds, by steps with one and two images; the run keeps the number in its config.yaml, also for --resume.',
      )
      .register(readBy, only('eval', 'predict', 'serve')),
    accumulation: count
      .default(1)
      .describe('Batches whose gradients are averaged into one update; several workers take them side by side.'),
    lrImages: count
      .optional()
      .describe(
        'Images of an update that `optimizer.lr` is for; with another number the rate is scaled in proportion, and said. As it is where absent.',
      ),
    syncBatchNorm: z
      .boolean()
      .default(false)
      .describe('Batch norms take the batches of all workers together; else each takes its own.'),
    optimizer: optimizerSchema.describe('How gradients change the parameters.'),
    schedule: scheduleSchema.default({ name: 'constant' }).describe('How the learning rate changes.'),
    clipGradNorm: positive.optional().describe('Largest global norm of the gradient.'),
    ema: z
      .strictObject({ decay: lessThanAll.describe('The share that stays at each update.') })
      .optional()
      .describe('Keep a moving average of the weights, for evaluation and `best`.'),
    recompute: z
      .boolean()
      .default(false)
      .describe(
        "Run a backbone's blocks again in the backward pass instead of keeping what they computed: less memory, a little more time, same numbers.",
      ),
    seed: z.int().min(0).max(0x7fffffff).default(0).describe('What everything random follows from.'),
    logEvery: count.default(50).describe('Updates between two lines of the log.'),
    saveEvery: count.default(1).describe('Epochs (or iterations) between two checkpoints.'),
    patience: count
      .optional()
      .describe(
        'Evaluations in a row that may bring no better value of the metric that decides about `best`; then the run stops early. Its full length where absent.',
      ),
    keep: z.int().min(0).default(0).describe('How many numbered checkpoints stay, besides `last` and `best`.'),
    onSaveError: z
      .enum(['continue', 'stop'])
      .default('continue')
      .describe('What follows when a checkpoint cannot be written: go on and try again next time, or stop.'),
  })
  .refine(({ epochs, iterations }) => (epochs === undefined) !== (iterations === undefined), {
    error: 'expected one of epochs and iterations',
  })
  .register(readBy, only());

export const evaluationSchema = z
  .strictObject({
    every: count
      .default(1)
      .describe('Epochs (or iterations) between two evaluations; the end of the run always has one.')
      .register(readBy, only()),
    batchSize: count
      .optional()
      .describe('Images at a time; the training batch size where absent.')
      .register(readBy, only('eval', 'predict', 'serve')),
    loss: z
      .boolean()
      .default(true)
      .describe('Also measure the loss on the validation images, unchanged and as at inference.')
      .register(readBy, only()),
    ema: z
      .boolean()
      .default(true)
      .describe('Evaluate the averaged weights where the run keeps them.')
      .register(readBy, only('eval', 'predict', 'serve', 'export')),
  })
  .prefault({});

/** The parts that a run of every task has. */
export interface SharedConfig {
  readonly train: z.output<typeof trainSchema>;
  readonly evaluation: z.output<typeof evaluationSchema>;
  readonly runtime: z.output<typeof runtimeSchema>;
}

/** How much of a backbone keeps its weights. */
export const freezeSchema = z
  .int()
  .min(0)
  .max(4)
  .optional()
  .describe(
    'Stages of the backbone that keep their weights, and the stem before them: they run as at inference, norms on their statistics, and no gradient goes through them. 0 is the stem alone; all of it learns where absent.',
  )
  .register(readBy, only());

/** How much each class counts in a loss. */
export const classWeightsSchema = z.union([z.literal('balanced'), z.array(nonNegative).min(2)]).optional();

/** A share of the training set in place of a validation set. */
const heldShareSchema = z.strictObject({
  share: z
    .number()
    .gt(0)
    .lt(1)
    .describe('Share of the training images that is held out to measure on, instead of a validation set.'),
  seed: z
    .int()
    .min(0)
    .default(0)
    .describe('Another one holds other images out; their names and the seed decide which.'),
});

export type HeldShare = z.output<typeof heldShareSchema>;

/**
 * What is measured on: a set of its own, as the task names one, a share of the training set, or nothing.
 * @param own the task's.
 */
export const validationSchema = <Own extends z.ZodType>(own: Own) => z.union([z.literal('none'), own, heldShareSchema]);

const backboneShape = <Name extends string>(names: readonly Name[]) =>
  z.strictObject({
    name: z.enum(names).describe('A published size.'),
    dropPath: lessThanAll
      .optional()
      .describe("Stochastic depth of the last block; the published recipe's where absent."),
    channels: fourStages(65_536)
      .optional()
      .describe('Widths of the four stages, where they differ from the published size.'),
    depths: fourStages(1000).optional().describe('Blocks of the four stages, where they differ.'),
    mlpRatios: fourStages(1000)
      .optional()
      .describe("Widths of the four stages' MLPs over the stage's, where they differ."),
  });

/** A backbone as a configuration names it. */
export type BackboneConfig<Name extends string = string> = z.output<ReturnType<typeof backboneShape<Name>>>;

/**
 * A backbone by the name of its published size.
 * @param names every size there is; the caller's, since configurations know no models.
 * @param faultOf which of the sizes its family refuses, and why; nothing is refused where absent.
 */
export const backboneSchema = <Name extends string>(
  names: readonly Name[],
  faultOf?: (backbone: BackboneConfig<Name>) => { readonly size: string; readonly message: string } | undefined,
) =>
  backboneShape(names).superRefine((backbone, context) => {
    // Sizes out of range are told already, and a family of a billion blocks is not to be made.
    if (context.issues.length > 0) return;
    const fault = faultOf?.(backbone);
    if (fault !== undefined) context.addIssue({ code: 'custom', path: [fault.size], message: fault.message });
  });
