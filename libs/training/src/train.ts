/** The training loop: updates, log, checkpoints and evaluation of one run. */
import * as tf from '@tensorflow/tfjs-core';
import { explainFileError, FileError } from '@pyramidal/files';
import { loadCheckpoint, type CheckpointInfo } from './checkpoint';
import { CheckpointKeeper, type BestRule } from './keeper';
import type { ModelDescription } from './model-card';
import { Patience } from './patience';
import { createProgress, type Progress, type ProgressStyle } from './progress';
import { LAST } from './run/find-checkpoint';
import { watchInterrupts, type Interrupt } from './run/interrupt';
import { MetricsLog } from './run/metrics-log';
import type { RunFolder } from './run/run-folder';
import { totalUpdates, type RunLength, type Schedule } from './schedule';
import type { EncodedImage } from './tensorboard/event';
import { TrainingError } from './training-error';
import type { Batch, TrainStep, UpdateOptions } from './train-step';
import { ADVICE, ValueWindow } from './value-window';

/** Batches whose order the seed alone decides. */
export interface TrainingData<B extends Batch> {
  readonly batchesPerEpoch: number;
  /** Images in a batch, for the rate. */
  readonly batchSize: number;
  /** The batches of one epoch from `firstBatch` on; training disposes their tensors. */
  epoch(epoch: number, firstBatch: number): AsyncIterable<B>;
}

/** What an evaluation gets to know, and may add to the log. */
export interface EvaluationContext {
  /** Updates done. */
  readonly step: number;
  readonly epoch: number;
  /** Aborted when the user wants the run to stop; the result is thrown away then. */
  readonly signal: AbortSignal;
  /** Shows a picture in TensorBoard. */
  readonly picture: (name: string, picture: EncodedImage) => void;
}

/** The evaluations of a run: how often, of which weights, and which metric decides about the best. */
export interface Evaluation {
  /** Epochs (or iterations, as the run counts) between two evaluations; the end of the run always has one. */
  readonly every: number;
  /** Gives the metrics of the module as it stands. */
  run(context: EvaluationContext): Promise<Record<string, number>>;
  /** Told when the metrics stand in the log. */
  readonly onLogged?: () => void;
  /** Which metric decides about `best.safetensors`. */
  readonly best?: BestRule;
  /** Evaluate the averaged weights where the step keeps them; default true. */
  readonly ema?: boolean;
  /** Evaluations in a row without a better `best` metric that end the run; undefined: the run has its full length. */
  readonly patience?: number | undefined;
}

/** What a run needs: where it is kept, what it trains on what, how long and how fast. */
export interface TrainOptions<B extends Batch> {
  readonly folder: RunFolder;
  readonly step: TrainStep<B>;
  readonly data: TrainingData<B>;
  readonly length: RunLength;
  readonly schedule: Schedule;
  readonly seed: number;
  /** Updates between two lines of the log; default 50. */
  readonly logEvery?: number;
  /** Epochs (or iterations, as the run counts) between two checkpoints; default 1. */
  readonly saveEvery?: number;
  /** How many numbered checkpoints stay, besides `last` and `best`; default 0. */
  readonly keep?: number;
  /** What follows when a checkpoint cannot be written; default: go on and try again at the next one. */
  readonly onSaveError?: 'continue' | 'stop';
  readonly evaluation?: Evaluation;
  /** What every checkpoint tells of its model, so that it can be used without anything else. */
  readonly model?: ModelDescription;
  /** How the run shows itself; default `live`: a block on a terminal, a line now and then elsewhere. */
  readonly progress?: ProgressStyle;
  /** Where progress goes; default standard error, for `json` standard output. */
  readonly stream?: NodeJS.WritableStream;
}

/** How a run ended. */
export interface TrainOutcome {
  readonly outcome: 'finished' | 'interrupted' | 'stopped early';
  /** Updates done. */
  readonly step: number;
  /** 0, or 130 after Ctrl-C, 143 after SIGTERM. */
  readonly exitCode: number;
  /** Metrics of the last evaluation of this call. */
  readonly metrics: Readonly<Record<string, number>> | undefined;
}

/**
 * Trains: updates, log, checkpoints, evaluation. With a checkpoint in the folder it goes on from there, with the same
 * numbers as a run that was never interrupted. Ctrl-C finishes the update, saves, and says how to resume.
 * @throws TrainingError when a loss or a gradient is not finite, naming step and value; when the checkpoint does not
 * fit; when the last checkpoint could not be written.
 */
export async function train<B extends Batch>(options: TrainOptions<B>): Promise<TrainOutcome> {
  const run = new Run(options);
  try {
    return await run.train();
  } finally {
    run.close();
  }
}

/** One call of `train`: the state of the loop between its updates. */
class Run<B extends Batch> {
  private readonly options: TrainOptions<B>;
  private readonly updatesPerEpoch: number;
  private readonly total: number;
  private readonly window = new ValueWindow();
  private readonly interrupt: Interrupt;
  private readonly keeper: CheckpointKeeper;
  private readonly log: MetricsLog;
  private readonly patience: Patience | undefined;
  private readonly progress: Progress;
  /** Updates done. */
  private done = 0;
  private stopwatch = { seconds: 0, updates: 0 };
  private isWarm = false;
  private metrics: Readonly<Record<string, number>> | undefined;

  constructor(options: TrainOptions<B>) {
    const { folder, step, data, length, keep = 0, onSaveError = 'continue', model, progress: style, stream } = options;
    this.options = options;
    this.updatesPerEpoch = Math.floor(data.batchesPerEpoch / step.accumulation);
    if (this.updatesPerEpoch < 1) {
      throw new TrainingError(
        `an epoch has ${data.batchesPerEpoch} batches, fewer than the ${step.accumulation} of one update`,
        2,
      );
    }
    this.total = totalUpdates(length, this.updatesPerEpoch);
    const warn = (message: string): void => this.progress.warn(message);
    this.keeper = new CheckpointKeeper(folder, step, { keep, onSaveError, warn, model });
    if (folder.checkpoint !== undefined) this.resume(loadCheckpoint(folder.checkpoint, step));
    const notes = folder.begin();
    const samplesPerUpdate = data.batchSize * step.accumulation;
    this.progress = createProgress({ total: this.total, samplesPerUpdate, style, stream });
    this.log = new MetricsLog(folder.file('metrics.jsonl'), this.done, warn);
    this.patience = patienceOf(options.evaluation, this.log);
    notes.forEach(warn);
    this.interrupt = watchInterrupts(() =>
      this.progress.warn('stopping after this step and saving; press Ctrl-C again to quit at once'),
    );
  }

  async train(): Promise<TrainOutcome> {
    if (this.done > 0) this.progress.say(`going on from step ${this.done} of ${this.total}`);
    if (this.lacksEvaluation()) await this.evaluate();
    while (this.goesOn(this.total)) await this.epoch();
    if (this.stopped || this.keeper.saved < this.done) this.save();
    if (this.keeper.saved < this.done) {
      throw new TrainingError(`the last checkpoint could not be written; ${this.whatIsThere()}`);
    }
    this.requireNumbers();
    if (this.stopped) this.progress.say(`stopped at step ${this.done} and saved; --resume goes on from there`);
    const outcome = this.outcome();
    if (outcome === 'stopped early') {
      this.progress.say(`stopped early at step ${this.done} of ${this.total}: ${this.patience!.describe()}`);
    }
    this.noteEnd(outcome);
    return { outcome, step: this.done, exitCode: this.interrupt.exitCode, metrics: this.metrics };
  }

  private outcome(): TrainOutcome['outcome'] {
    if (this.done >= this.total) return 'finished';
    return this.patience?.isOver ? 'stopped early' : 'interrupted';
  }

  /** The results are there already: a full disk takes nothing from them. */
  private noteEnd(outcome: TrainOutcome['outcome']): void {
    try {
      this.options.folder.end(outcome, this.done);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.progress.warn(error.message);
    }
  }

  /** A validation set without a sample gives no number at all; such a run is not done. */
  private requireNumbers(): void {
    // A loss is a number however little was counted.
    const values = Object.entries(this.metrics ?? {}).filter(([name]) => name !== 'loss');
    if (values.length === 0 || values.some(([, value]) => Number.isFinite(value))) return;
    const names = values.map(([name]) => name).join(', ');
    throw new TrainingError(
      `the evaluation after step ${this.done} gave no number (${names}): no sample of the validation set was counted; ` +
        `the weights are in ${LAST}`,
    );
  }

  close(): void {
    this.interrupt.release();
    this.progress.stop();
  }

  private get stopped(): boolean {
    return this.interrupt.signal.aborted;
  }

  /** Whether there is another update before `end` of them are done. */
  private goesOn(end: number): boolean {
    return this.done < end && !this.stopped && !this.patience?.isOver;
  }

  private get epochsDone(): number {
    return this.done / this.updatesPerEpoch;
  }

  /** What is left of the current epoch. */
  private async epoch(): Promise<void> {
    const { data, step } = this.options;
    const epoch = Math.floor(this.epochsDone);
    const end = Math.min((epoch + 1) * this.updatesPerEpoch, this.total);
    const firstBatch = (this.done % this.updatesPerEpoch) * step.accumulation;
    const batches = data.epoch(epoch, firstBatch)[Symbol.asyncIterator]();
    try {
      while (this.goesOn(end)) await this.update(await this.take(batches));
    } finally {
      await batches.return?.();
    }
  }

  private async take(batches: AsyncIterator<B>): Promise<B[]> {
    const taken: B[] = [];
    const started = performance.now();
    while (taken.length < this.options.step.accumulation) {
      const { value, done } = await batches.next();
      if (done) {
        disposeAll(taken);
        const { batchesPerEpoch } = this.options.data;
        throw new TrainingError(`the data ended before the ${batchesPerEpoch} batches that an epoch should have`);
      }
      taken.push(value);
    }
    this.stopwatch.seconds += (performance.now() - started) / 1000;
    return taken;
  }

  private async update(batches: readonly B[]): Promise<void> {
    const { schedule, seed, logEvery = 50 } = this.options;
    const started = performance.now();
    const lr = schedule(this.done);
    const values = this.run(batches, { update: this.done, lr, seed });
    this.done++;
    await this.window.add(this.done, values);
    // Signals arrive between turns of the event loop, which ready promises alone never end.
    await new Promise((resolve) => setImmediate(resolve));
    this.stopwatch.seconds += (performance.now() - started) / 1000;
    this.stopwatch.updates++;
    this.dropWarmUp(logEvery);
    if (this.window.length >= logEvery || this.done === this.total) this.report(lr);
    if (this.due(this.options.saveEvery ?? 1)) this.save();
    const { evaluation } = this.options;
    if (evaluation !== undefined && this.due(evaluation.every) && !this.stopped) await this.evaluate();
  }

  /** @throws TrainingError that names the step, where the engine stumbles over values that are not finite. */
  private run(batches: readonly B[], options: UpdateOptions): tf.NamedTensorMap {
    try {
      return this.options.step.run(batches, options);
    } catch (error) {
      if (!/not finite|non-finite|\bnan\b|\binf(inity)?\b/i.test((error as Error).message)) throw error;
      const reason = explainFileError(error);
      const before = this.window.last('loss');
      const loss = before === undefined ? '' : `, the loss of the step before was ${before}`;
      throw new TrainingError(`step ${this.done + 1}: values are not finite (${reason})${loss}; ${ADVICE}`);
    } finally {
      disposeAll(batches);
    }
  }

  /** The first update of a process also records the step: it tells nothing about the rate, unless it is all there is. */
  private dropWarmUp(logEvery: number): void {
    const isReported = this.window.length >= logEvery || this.done === this.total;
    if (!this.isWarm && !isReported) this.stopwatch = { seconds: 0, updates: 0 };
    this.isWarm = true;
  }

  /** Whether something that happens every so many epochs (or iterations) happens after this update. */
  private due(every: number): boolean {
    const period = 'epochs' in this.options.length ? every * this.updatesPerEpoch : every;
    return this.done % period === 0 || this.done === this.total;
  }

  private report(lr: number): void {
    const values = this.window.take();
    const { seconds, updates } = this.stopwatch;
    const { data, step } = this.options;
    const samplesPerSecond = (updates * data.batchSize * step.accumulation) / seconds;
    this.stopwatch = { seconds: 0, updates: 0 };
    this.log.write({ kind: 'train', ...this.position, values: { lr, ...values, samplesPerSecond } });
    this.progress.show({ ...this.position, lr, losses: values, samplesPerSecond });
  }

  private async evaluate(): Promise<void> {
    const { evaluation, step } = this.options;
    const { run, best, onLogged, ema = true } = evaluation!;
    const { signal } = this.interrupt;
    const picture: EvaluationContext['picture'] = (name, image) => this.log.writePicture(this.done, name, image);
    const evaluate = (): Promise<Record<string, number>> => run({ ...this.position, signal, picture });
    const running = ema && step.ema !== undefined ? step.ema.borrowedBy(evaluate) : evaluate();
    const metrics = await running.catch((error: unknown) => {
      if (!this.stopped) throw error;
      return undefined; // it was cut short
    });
    if (metrics === undefined || this.stopped) return;
    if (best !== undefined) this.keeper.saveIfBest(this.info, metrics, best);
    this.metrics = metrics;
    this.log.write({ kind: 'evaluation', ...this.position, values: metrics });
    onLogged?.();
    this.patience?.add({ step: this.done, metrics });
    const value = best && this.keeper.bestValue(best.metric);
    const reached = best && value !== undefined ? { metric: best.metric, value } : undefined;
    this.progress.evaluated({ ...this.position, metrics, best: reached });
  }

  /** A run that ended between a checkpoint and its evaluation evaluates first when it is resumed. */
  private lacksEvaluation(): boolean {
    const { evaluation } = this.options;
    return (
      this.done > 0 && evaluation !== undefined && this.due(evaluation.every) && !this.log.hasEvaluation(this.done)
    );
  }

  /** Only sound states get here: what is not finite ends the update that made it. */
  private save(): void {
    if (this.keeper.saved === this.done) return;
    this.keeper.saveLast(this.info);
  }

  private get position(): { step: number; epoch: number } {
    return { step: this.done, epoch: Number(this.epochsDone.toFixed(4)) };
  }

  private get info(): CheckpointInfo {
    const { folder, seed } = this.options;
    const { config } = folder;
    return { ...this.position, updatesPerEpoch: this.updatesPerEpoch, seed, config, window: this.window.state };
  }

  private resume({ step, updatesPerEpoch, seed, window }: CheckpointInfo): void {
    const { folder, seed: ownSeed } = this.options;
    const where = `${folder.checkpoint}`;
    if (updatesPerEpoch !== this.updatesPerEpoch) {
      throw new TrainingError(
        `${where}: counts ${updatesPerEpoch} updates an epoch, the data now gives ${this.updatesPerEpoch}; ` +
          'data set, batch size and accumulation must stay for --resume',
        2,
      );
    }
    if (seed !== ownSeed) throw new TrainingError(`${where}: was trained with seed ${seed}, not ${ownSeed}`, 2);
    if (window !== undefined) this.window.restore(window);
    this.done = step;
    // After another checkpoint the last one is missing or damaged: it is still to be written.
    if (where === folder.file(LAST)) this.keeper.resumedAt(step);
  }

  private whatIsThere(): string {
    const { saved } = this.keeper;
    return saved < 0 ? 'no checkpoint of this run is there' : `the one there is from step ${saved}`;
  }
}

/** With the evaluations that the run had before. */
function patienceOf(evaluation: Evaluation | undefined, log: MetricsLog): Patience | undefined {
  if (evaluation?.patience === undefined) return undefined;
  if (evaluation.best === undefined) throw new TrainingError('patience: expected a metric that tells the best', 2);
  const patience = new Patience(evaluation.best, evaluation.patience);
  log.evaluations.forEach((evaluated) => patience.add(evaluated));
  return patience;
}

function disposeAll(batches: readonly Batch[]): void {
  for (const batch of batches) tf.dispose(batch);
}
