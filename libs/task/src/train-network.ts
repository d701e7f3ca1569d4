/** `train`, whatever the task: the training that a configuration describes, into the folder of a run. */
import { type evaluationSchema, type runtimeSchema, type trainSchema, UsageError, type z } from '@pyramidal/config';
import { writeFileAtomically } from '@pyramidal/files';
import type { Module } from '@pyramidal/nn';
import type { ExitCode } from '@pyramidal/program';
import type { Runtime } from '@pyramidal/runtime';
import {
  type Batch,
  createOptimizer,
  createSchedule,
  type Evaluation,
  type ModelDescription,
  openRunFolder,
  type ProgressStyle,
  type RunFolder,
  type SplitRecord,
  train,
  trainStep,
  type TrainStep,
  type TrainStepOptions,
} from '@pyramidal/training';
import { trainingBatchSize } from './batch-size';
import { reportBroken } from './report-broken';
import type { TrainCommand } from './task-app';
import { type Measured, validationLoss, type ValidationLoss } from './validation-loss';
import { type EvaluationChart, trainingCurves } from './training-curves';

/** The parts of a configuration that every task has. */
export interface SharedConfig {
  readonly train: z.output<typeof trainSchema>;
  readonly evaluation: z.output<typeof evaluationSchema>;
  readonly runtime: z.output<typeof runtimeSchema>;
}

/** Batches of a data set from a place on, in an order that the seed alone decides. */
export interface BatchSource<Loaded> {
  readonly batchesPerEpoch: number;
  readonly broken: ReadonlyMap<string, string>;
  batches(from: { readonly epoch: number; readonly batch: number }): AsyncIterable<Loaded>;
}

/** What a task brings to the training that its configuration describes. */
export interface NetworkTraining<Loaded, B extends Batch> {
  readonly command: TrainCommand;
  readonly config: SharedConfig;
  /** The resolved configuration, as YAML. */
  readonly text: string;
  readonly runtime: Runtime;
  /** With values: drawn, or loaded. */
  readonly module: Module;
  readonly loss: TrainStepOptions<B>['loss'];
  readonly source: BatchSource<Loaded>;
  /** What of a loaded batch goes into the step. */
  readonly tensors: (loaded: Loaded) => B;
  /** Undefined where there is nothing to measure on: then there is no best checkpoint. */
  readonly evaluation: Pick<Evaluation, 'run' | 'best'> | undefined;
  /** Gives evaluations a `loss`; undefined measures none. */
  readonly measured?: Measured<Loaded, B> | undefined;
  /** How the training images were split, where they were. */
  readonly split?: SplitRecord | undefined;
  readonly chart: EvaluationChart;
  /** What the checkpoints tell of the network. */
  readonly model: ModelDescription;
}

/** Trains a network as its configuration says, into the run's folder; leaves checkpoints, logs and curves there. */
export async function trainNetwork<Loaded, B extends Batch>(options: NetworkTraining<Loaded, B>): Promise<ExitCode> {
  const { command, text, runtime, source, chart, evaluation, split } = options;
  requireEvaluations(options);
  const step = createStep(options);
  const measured = options.measured && validationLoss({ ...options, ...options.measured });
  try {
    const info = { command: 'train', runtime };
    const run = openRunFolder({ folder: command.out, resume: command.resume, config: text, info, split });
    try {
      const exitCode = await runTraining({ ...options, evaluation: withLoss(evaluation, measured) }, step, run);
      reportBroken(source);
      const curves = await trainingCurves(run.file('metrics.jsonl'), evaluation && chart);
      for (const [name, picture] of curves) writeFileAtomically(run.file(name), picture);
      if (exitCode === 0) reportDone(run.folder, command.progress);
      return exitCode;
    } finally {
      run.close();
    }
  } finally {
    measured?.dispose();
    step.dispose();
  }
}

/** Where the results are, in the style of the run's progress. */
function reportDone(folder: string, style: ProgressStyle = 'live'): void {
  if (style === 'live') console.error(`done: ${folder}`);
  if (style === 'json') console.log(JSON.stringify({ kind: 'done', folder }));
}

/** An evaluation that also measures the loss. */
function withLoss(
  evaluation: NetworkTraining<never, never>['evaluation'],
  measured: ValidationLoss | undefined,
): NetworkTraining<never, never>['evaluation'] {
  if (evaluation === undefined || measured === undefined) return evaluation;
  const run: Evaluation['run'] = async (context) => {
    const metrics = await evaluation.run(context);
    return { ...metrics, loss: await measured.measure(context.signal) };
  };
  return { ...evaluation, run };
}

/** Says that nothing is measured. @throws UsageError if something depends on it. */
function requireEvaluations({
  evaluation,
  config,
}: Pick<NetworkTraining<never, never>, 'evaluation' | 'config'>): void {
  if (evaluation !== undefined) return;
  if (config.train.patience !== undefined) {
    throw new UsageError('train.patience: expected images to evaluate on, and data.val is none');
  }
  console.error('data.val is none: nothing is evaluated, and the last checkpoint is the only one that is kept');
}

function createStep<Loaded, B extends Batch>({ module, loss, config }: NetworkTraining<Loaded, B>): TrainStep<B> {
  const { optimizer, clipGradNorm, ema, accumulation } = config.train;
  return trainStep<B>({
    module,
    loss,
    optimizer: createOptimizer(module.parameters(), optimizer, frozenNames(module)),
    clipGradNorm,
    emaDecay: ema?.decay,
    accumulation,
    compile: config.runtime.compile,
    precision: config.runtime.precision,
  });
}

const measuring = ({ train, evaluation: { every, ema } }: SharedConfig) => ({ every, ema, patience: train.patience });

const frozenNames = (module: Module): string[] =>
  [...module.state()].flatMap(([name, { trainable, isFrozen }]) => (trainable && isFrozen ? [name] : []));

async function runTraining<Loaded, B extends Batch>(
  { command, config, source, tensors, evaluation, model }: NetworkTraining<Loaded, B>,
  step: TrainStep<B>,
  folder: RunFolder,
): Promise<ExitCode> {
  const { epochs, iterations, optimizer, schedule, seed, logEvery, saveEvery, keep, onSaveError } = config.train;
  const length = epochs === undefined ? { iterations: iterations! } : { epochs };
  const updatesPerEpoch = Math.floor(source.batchesPerEpoch / step.accumulation);
  const { exitCode } = await train<B>({
    folder,
    step,
    data: {
      batchesPerEpoch: source.batchesPerEpoch,
      batchSize: trainingBatchSize(config),
      async *epoch(epoch, batch) {
        for await (const loaded of source.batches({ epoch, batch })) yield tensors(loaded);
      },
    },
    length,
    schedule: createSchedule(schedule, { lr: optimizer.lr, length, updatesPerEpoch }),
    progress: command.progress,
    ...(evaluation && { evaluation: { ...evaluation, ...measuring(config) } }),
    ...{ seed, logEvery, saveEvery, keep, onSaveError, model },
  });
  return exitCode;
}
