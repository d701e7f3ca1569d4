/** The second half of `train`, whatever the task: the training that a configuration describes, into the folder of a run. */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { type SharedConfig, UsageError } from '@pyramidal/config';
import { seedsOf, type Share, shareOf } from '@pyramidal/distributed';
import { makeFolder, writeFileAtomically } from '@pyramidal/files';
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
import { trainingBatchSize, withBatchSize, withinImages } from './batch-size';
import type { PreparedTraining } from './prepare-training';
import { reportBroken } from './report-broken';
import type { TrainCommand } from './task-app';
import { isFirst, type Team, workTogether } from './team';
import { type EvaluationChart, trainingCurves } from './training-curves';
import { renewTrainingReport } from './training-report';
import { type Measured, validationLoss, type ValidationLoss } from './validation-loss';

/** A batch that knows its place in an epoch. */
export interface InOrder {
  readonly batch: number;
}

/** Where batches begin, and what of them this process reads; all unless told. */
interface BatchPlace {
  readonly epoch: number;
  readonly batch: number;
  readonly share?: Share | undefined;
}

/** Batches of a data set from a place on, in an order that the seed alone decides. */
export interface BatchSource<Loaded> {
  readonly batchesPerEpoch: number;
  /** Images that could not be read, file to reason. */
  readonly broken: ReadonlyMap<string, string>;
  batches(from: BatchPlace): AsyncIterable<Loaded>;
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
export interface NetworkTraining<Config, Loaded extends InOrder, B extends Batch> {
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
export async function trainNetwork<Config extends SharedConfig, Loaded extends InOrder, B extends Batch>(
  prepared: PreparedTraining<Config, unknown, Module>,
  training: NetworkTraining<Config, Loaded, B>,
): Promise<ExitCode> {
  const { network, team } = prepared;
  const compile = training.compile ?? prepared.config.runtime.compile;
  try {
    requireEvaluations(training, prepared.config);
    const sized = await withBatchSize({ ...prepared, ...training, compile });
    const fitting = withinImages(sized.config, training.images);
    if (fitting !== sized.config && isFirst(team)) sayCapped(sized.config, training.images);
    const config: Config = { ...fitting, runtime: { ...fitting.runtime, compile } };
    const share = team && shareOf(team, { ...config.train, batchSize: trainingBatchSize(config) });
    const parts = openParts(training, fitting, { network, config, team, share });
    const whole = { ...prepared, ...training, ...parts, config, text: sized.text, share };
    try {
      return await workTogether(team, () => (isFirst(team) ? trainInFolder(whole) : runTraining(whole)));
    } finally {
      await parts.close();
    }
  } finally {
    network.dispose();
  }
}

function sayCapped(config: SharedConfig, images: number): void {
  const asked = trainingBatchSize(config);
  console.error(`train.batchSize: ${asked} is more than the ${images} training images; a step takes all of them`);
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

/** Who trains what. */
interface Setting {
  readonly network: Module;
  readonly config: SharedConfig;
  readonly team: Team;
  /** Of the batches; all where one process trains alone. */
  readonly share: Share | undefined;
}

/** What a training computes and reads with. */
interface Parts<Loaded extends InOrder, B extends Batch> {
  readonly source: BatchSource<Loaded>;
  readonly step: TrainStep<B>;
  readonly evaluation: NetworkEvaluation | undefined;
}

function openParts<Config extends SharedConfig, Loaded extends InOrder, B extends Batch>(
  training: NetworkTraining<Config, Loaded, B>,
  sized: Config,
  setting: Setting,
): Parts<Loaded, B> & { close(): Promise<void> } {
  const { loss, tensors } = training;
  const source = training.batches(sized);
  const evaluation = training.evaluation?.(sized);
  const measured = training.measured?.(sized);
  const measuring = measured && validationLoss({ ...measured, tensors, ...setting });
  const step = createStep(loss, setting);
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
  { network, config, team, share }: Setting,
): TrainStep<B> {
  const { optimizer, clipGradNorm, ema, accumulation } = config.train;
  return trainStep<B>({
    module: network,
    loss,
    optimizer: createOptimizer(network.parameters(), optimizer, frozenNames(network)),
    clipGradNorm,
    emaDecay: ema?.decay,
    accumulation: accumulation / (share?.lanes ?? 1),
    compile: config.runtime.compile,
    precision: config.runtime.precision,
    xla: config.runtime.xla,
    workers: team && share && { session: team.session, seedOf: seedsOf(share) },
  });
}

const frozenNames = (module: Module): string[] =>
  [...module.state()].flatMap(([name, { trainable, isFrozen }]) => (trainable && isFrozen ? [name] : []));

interface Training<Loaded extends InOrder, B extends Batch>
  extends Setting, Parts<Loaded, B>, Pick<NetworkTraining<never, Loaded, B>, 'tensors' | 'split' | 'chart' | 'model'> {
  readonly command: TrainCommand;
  readonly runtime: Runtime;
  readonly text: string;
}

/** The training, and what it leaves in its folder besides checkpoints and logs. */
async function trainInFolder<Loaded extends InOrder, B extends Batch>(
  training: Training<Loaded, B>,
): Promise<ExitCode> {
  const { command, runtime, text, evaluation, split, chart, team } = training;
  const info = { command: 'train', runtime, workers: team?.count ?? 1 };
  const run = openRunFolder({ folder: command.out, resume: command.resume, config: text, info, split });
  try {
    const exitCode = await runTraining(training, run);
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

/** @param folder of the run; processes of a team that keep nothing have none. */
async function runTraining<Loaded extends InOrder, B extends Batch>(
  { command, config, source, step, tensors, evaluation, model, team, share }: Training<Loaded, B>,
  folder?: RunFolder,
): Promise<ExitCode> {
  const { epochs, iterations, accumulation, schedule, seed, logEvery, saveEvery, keep, onSaveError } = config.train;
  const length = epochs === undefined ? { iterations: iterations! } : { epochs };
  const updatesPerEpoch = Math.floor(source.batchesPerEpoch / accumulation);
  const lanes = share?.lanes ?? 1;
  const onLogged = (): void => renewTrainingReport(command.out);
  team?.requireSame(
    '`train` of the configuration, or the data',
    JSON.stringify([config.train, source.batchesPerEpoch]),
  );
  const { exitCode } = await train<B>({
    folder,
    step,
    data: {
      // Batches of all processes side by side.
      batchesPerEpoch: Math.floor(source.batchesPerEpoch / lanes),
      batchSize: trainingBatchSize(config) * lanes,
      async *epoch(epoch, batch) {
        for await (const loaded of source.batches({ epoch, batch: batch * lanes, share })) yield tensors(loaded);
      },
    },
    length,
    schedule: createSchedule(schedule, { lr: learningRate(config, team), length, updatesPerEpoch }),
    ...shown(command, team),
    ...(evaluation && { evaluation: { ...evaluation, ...evaluatedAs(config), onLogged } }),
    ...{ seed, logEvery, saveEvery, keep, onSaveError, model, team },
  });
  reportBroken(source, ...(evaluation?.broken === undefined ? [] : [{ broken: evaluation.broken }]));
  return exitCode;
}

/** In proportion to the images of an update, where the configuration tells for how many the rate is (Goyal et al. 2017). */
function learningRate(config: SharedConfig, team: Team): number {
  const { optimizer, accumulation, lrImages } = config.train;
  const images = trainingBatchSize(config) * accumulation;
  if (lrImages === undefined || lrImages === images) return optimizer.lr;
  const lr = (optimizer.lr * images) / lrImages;
  if (isFirst(team)) {
    const from = `${optimizer.lr} for ${lrImages} images (train.lrImages)`;
    console.error(`learning rate ${lr}: ${from}, and an update has ${images}`);
  }
  return lr;
}

/** The first process shows the run; each of the others writes a log beside it. */
function shown({ progress = 'live', out }: TrainCommand, team: Team) {
  if (team === undefined || isFirst(team)) return { progress };
  makeFolder(out);
  const stream = createWriteStream(join(out, `worker-${team.index}.log`), { flags: 'a' });
  return { progress: progress === 'quiet' ? progress : ('live' as const), stream };
}
