/** The second half of `train`, whatever the task: the training that a configuration describes, into the folder of a run. */
import { type SharedConfig, UsageError } from '@pyramidal/config';
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
import { trainingBatchSize, withBatchSize } from './batch-size';
import type { PreparedTraining } from './prepare-training';
import { reportBroken } from './report-broken';
import type { TrainCommand } from './task-app';
import { type EvaluationChart, trainingCurves } from './training-curves';
import { renewTrainingReport } from './training-report';
import { type Measured, validationLoss, type ValidationLoss } from './validation-loss';

/** Batches of a data set from a place on, in an order that the seed alone decides. */
export interface BatchSource<Loaded> {
  readonly batchesPerEpoch: number;
  /** Images that could not be read, file to reason. */
  readonly broken: ReadonlyMap<string, string>;
  batches(from: { readonly epoch: number; readonly batch: number }): AsyncIterable<Loaded>;
  close(): Promise<void>;
}

/** How a task measures the network that learns. */
export interface NetworkEvaluation extends Pick<Evaluation, 'run' | 'best'> {
  /** Images that could not be read, where those are skipped. */
  readonly broken?: ReadonlyMap<string, string>;
  /** Frees what it holds; the network stays. */
  close(): Promise<void>;
}

/** What a task brings to the training that its configuration describes. */
export interface NetworkTraining<Config, Loaded, B extends Batch> {
  readonly loss: TrainStepOptions<B>['loss'];
  /** Images to learn from. */
  readonly images: number;
  /** Opens the batches to learn from, once their size is known. */
  readonly batches: (config: Config) => BatchSource<Loaded>;
  /** What of a loaded batch goes into the step. */
  readonly tensors: (loaded: Loaded) => B;
  /** Whether steps run as graphs; default what the configuration says. */
  readonly compile?: boolean;
  /** Undefined where there is nothing to measure on: then there is no best checkpoint. */
  readonly evaluation: ((config: Config) => NetworkEvaluation) | undefined;
  /** Gives evaluations a `loss`; undefined measures none. */
  readonly measured?: ((config: Config) => Measured<Loaded, B>) | undefined;
  /** How the training images were split, where they were. */
  readonly split: SplitRecord | undefined;
  readonly chart: EvaluationChart;
  /** What the checkpoints tell of the network. */
  readonly model: ModelDescription;
}

/** Trains a network as its configuration says, into the run's folder; leaves checkpoints, logs and curves there, and disposes of the network. */
export async function trainNetwork<Config extends SharedConfig, Loaded, B extends Batch>(
  prepared: PreparedTraining<Config, unknown, Module>,
  training: NetworkTraining<Config, Loaded, B>,
): Promise<ExitCode> {
  const { network } = prepared;
  const compile = training.compile ?? prepared.config.runtime.compile;
  try {
    requireEvaluations(training, prepared.config);
    const sized = await withBatchSize({ ...prepared, ...training, compile });
    const config: Config = { ...sized.config, runtime: { ...sized.config.runtime, compile } };
    const parts = openParts(training, sized.config, { network, config });
    try {
      return await trainInFolder({ ...prepared, ...training, ...parts, config, text: sized.text });
    } finally {
      await parts.close();
    }
  } finally {
    network.dispose();
  }
}

/** Says that nothing is measured. @throws UsageError if something depends on it. */
function requireEvaluations(
  { evaluation }: Pick<NetworkTraining<never, never, never>, 'evaluation'>,
  { train }: SharedConfig,
): void {
  if (evaluation !== undefined) return;
  if (train.patience !== undefined) {
    throw new UsageError('train.patience: expected images to evaluate on, and data.val is none');
  }
  console.error('data.val is none: nothing is evaluated, and the last checkpoint is the only one that is kept');
}

/** What a training computes and reads with. */
interface Parts<Loaded, B extends Batch> {
  readonly source: BatchSource<Loaded>;
  readonly step: TrainStep<B>;
  readonly evaluation: NetworkEvaluation | undefined;
}

function openParts<Config extends SharedConfig, Loaded, B extends Batch>(
  training: NetworkTraining<Config, Loaded, B>,
  sized: Config,
  { network, config }: { readonly network: Module; readonly config: SharedConfig },
): Parts<Loaded, B> & { close(): Promise<void> } {
  const { loss, tensors } = training;
  const source = training.batches(sized);
  const evaluation = training.evaluation?.(sized);
  const measured = training.measured?.(sized);
  const measuring = measured && validationLoss({ ...measured, tensors, config });
  const step = createStep(loss, network, config);
  return {
    source,
    step,
    evaluation: evaluation && withLoss(evaluation, measuring),
    async close() {
      measuring?.dispose();
      step.dispose();
      await Promise.all([source.close(), evaluation?.close(), measured?.source.close()]);
    },
  };
}

/** An evaluation that also measures the loss. */
function withLoss(evaluation: NetworkEvaluation, measuring: ValidationLoss | undefined): NetworkEvaluation {
  if (measuring === undefined) return evaluation;
  const run: Evaluation['run'] = async (context) => {
    const metrics = await evaluation.run(context);
    return { ...metrics, loss: await measuring.measure(context.signal) };
  };
  return { ...evaluation, run };
}

function createStep<B extends Batch>(
  loss: TrainStepOptions<B>['loss'],
  network: Module,
  { train: { optimizer, clipGradNorm, ema, accumulation }, runtime: { compile, precision } }: SharedConfig,
): TrainStep<B> {
  return trainStep<B>({
    module: network,
    loss,
    optimizer: createOptimizer(network.parameters(), optimizer, frozenNames(network)),
    clipGradNorm,
    emaDecay: ema?.decay,
    accumulation,
    compile,
    precision,
  });
}

const frozenNames = (module: Module): string[] =>
  [...module.state()].flatMap(([name, { trainable, isFrozen }]) => (trainable && isFrozen ? [name] : []));

interface Training<Loaded, B extends Batch>
  extends Parts<Loaded, B>, Pick<NetworkTraining<never, Loaded, B>, 'tensors' | 'split' | 'chart' | 'model'> {
  readonly command: TrainCommand;
  readonly runtime: Runtime;
  readonly config: SharedConfig;
  readonly text: string;
}

/** The training, and what it leaves in its folder besides checkpoints and logs. */
async function trainInFolder<Loaded, B extends Batch>(training: Training<Loaded, B>): Promise<ExitCode> {
  const { command, runtime, text, source, evaluation, split, chart } = training;
  const info = { command: 'train', runtime };
  const run = openRunFolder({ folder: command.out, resume: command.resume, config: text, info, split });
  try {
    const exitCode = await runTraining(training, run);
    reportBroken(source, ...(evaluation?.broken === undefined ? [] : [{ broken: evaluation.broken }]));
    const curves = await trainingCurves(run.file('metrics.jsonl'), evaluation && chart);
    for (const [name, picture] of curves) writeFileAtomically(run.file(name), picture);
    renewTrainingReport(run.folder);
    if (exitCode === 0) reportDone(run.folder, command.progress);
    return exitCode;
  } finally {
    run.close();
  }
}

/** Where the results are, in the style of the run's progress. */
function reportDone(folder: string, style: ProgressStyle = 'live'): void {
  if (style === 'live') console.error(`done: ${folder}`);
  if (style === 'json') console.log(JSON.stringify({ kind: 'done', folder }));
}

const evaluatedAs = ({ train, evaluation: { every, ema } }: SharedConfig) => ({ every, ema, patience: train.patience });

async function runTraining<Loaded, B extends Batch>(
  { command, config, source, step, tensors, evaluation, model }: Training<Loaded, B>,
  folder: RunFolder,
): Promise<ExitCode> {
  const { epochs, iterations, optimizer, schedule, seed, logEvery, saveEvery, keep, onSaveError } = config.train;
  const length = epochs === undefined ? { iterations: iterations! } : { epochs };
  const updatesPerEpoch = Math.floor(source.batchesPerEpoch / step.accumulation);
  const onLogged = (): void => renewTrainingReport(folder.folder);
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
    ...(evaluation && { evaluation: { ...evaluation, ...evaluatedAs(config), onLogged } }),
    ...{ seed, logEvery, saveEvery, keep, onSaveError, model },
  });
  return exitCode;
}
