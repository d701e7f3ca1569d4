/** The training loop: updates, log, checkpoints and evaluation of one run. */
import { existsSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { explainFileError, FileError } from '@pyramidal/files';
import { loadCheckpoint, type CheckpointInfo } from './checkpoint';
import { fetchValues } from './fetch-values';
import { CheckpointKeeper, type BestRule } from './keeper';
import type { ModelDescription } from './model-card';
import { type Evaluated, Patience } from './patience';
import { createProgress, type Progress, type ProgressStyle } from './progress';
import { BEST, LAST } from './run/find-checkpoint';
import { watchInterrupts, type Interrupt } from './run/interrupt';
import { MetricsLog } from './run/metrics-log';
import type { RunFolder } from './run/run-folder';
import { Epochs } from './epochs';
import { totalUpdates, type RunLength, type Schedule } from './schedule';
import type { EncodedImage } from './tensorboard/event';
import { TrainingError } from './training-error';
import { shareStanding, type Standing, type Team } from './team';
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
  /** Undefined for processes of a team that keep nothing: all but the first. */
  readonly folder: RunFolder | undefined;
  readonly step: TrainStep<B>;
  readonly data: TrainingData<B>;
  readonly length: RunLength;
  readonly schedule: Schedule;
  readonly seed: number;
  /** Updates between two lines of the log, which begins with the first; default 50. */
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
  readonly stream?: NodeJS.WritableStream | undefined;
  /** The processes that train together; this one alone by default. */
  readonly team?: Team | undefined;
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

/** The code of a process that stopped since another one of its team was asked to. */
const STOPPED_BY_OTHERS = 130;

/** Where a run's files go. */
interface Kept {
  readonly folder: RunFolder;
  readonly keeper: CheckpointKeeper;
  readonly log: MetricsLog;
}

/** One call of `train`: the state of the loop between its updates. */
class Run<B extends Batch> {
  private readonly options: TrainOptions<B>;
  private readonly updatesPerEpoch: number;
  private readonly total: number;
  private readonly window = new ValueWindow();
  private readonly epochs: Epochs<B>;
  private readonly interrupt: Interrupt;
  /** What the run keeps; of a process that keeps nothing, undefined. */
  private readonly kept: Kept | undefined;
  private readonly patience: Patience | undefined;
  private readonly progress: Progress;
  /** Updates done. */
  private done = 0;
  private stopwatch = newStopwatch();
  private isWarm = false;
  private metrics: Readonly<Record<string, number>> | undefined;
  /** Whether the team has agreed to stop. */
  private agreedToStop = false;
  /** Steps that were evaluated before this call. */
  private readonly evaluated: ReadonlySet<number>;

  constructor(options: TrainOptions<B>) {
    const { folder, step, data, length, keep = 0, onSaveError = 'continue', model, progress: style, stream } = options;
    const { team } = options;
    this.options = options;
    this.epochs = new Epochs(data);
    this.updatesPerEpoch = Math.floor(data.batchesPerEpoch / step.accumulation);
    if (this.updatesPerEpoch < 1) {
      throw new TrainingError(
        `an epoch has ${data.batchesPerEpoch} batches, fewer than the ${step.accumulation} of one update`,
        2,
      );
    }
    this.total = totalUpdates(length, this.updatesPerEpoch);
    const warn = (message: string): void => this.progress.warn(message);
    const samplesPerUpdate = data.batchSize * step.accumulation;
    this.progress = createProgress({ total: this.total, samplesPerUpdate, style, stream });
    let notes: string[] = [];
    if (folder !== undefined) {
      const keeper = new CheckpointKeeper(folder, step, { keep, onSaveError, warn, model });
      if (folder.checkpoint !== undefined) this.resume(folder, keeper, loadCheckpoint(folder.checkpoint, step));
      notes = folder.begin();
      this.kept = { folder, keeper, log: new MetricsLog(folder.file('metrics.jsonl'), this.done, warn) };
    }
    const { evaluations } = this.standTogether(team);
    this.patience = patienceOf(options.evaluation, evaluations);
    this.evaluated = new Set(evaluations.map((evaluation) => evaluation.step));
    notes.forEach(warn);
    this.interrupt = watchInterrupts(() =>
      this.progress.warn('stopping after this step and saving; press Ctrl-C again to quit at once'),
    );
  }

  async train(): Promise<TrainOutcome> {
    if (this.done > 0) this.progress.say(`going on from step ${this.done} of ${this.total}`);
    if (this.lacksEvaluation()) await this.evaluate();
    try {
      while (this.goesOn(this.total)) await this.epoch();
    } finally {
      await this.epochs.close();
    }
    this.keepTogether();
    if (this.stopped || this.isUnsaved) await this.save();
    if (this.isUnsaved) throw new TrainingError(`the last checkpoint could not be written; ${this.whatIsThere()}`);
    this.requireNumbers();
    if (this.stopped) this.progress.say(`stopped at step ${this.done} and saved; --resume goes on from there`);
    const outcome = this.outcome();
    if (outcome === 'stopped early') {
      this.progress.say(`stopped early at step ${this.done} of ${this.total}: ${this.patience!.describe()}`);
    }
    this.noteEnd(outcome);
    return { outcome, step: this.done, exitCode: this.exitCode, metrics: this.metrics };
  }

  private outcome(): TrainOutcome['outcome'] {
    if (this.done >= this.total) return 'finished';
    return this.patience?.isOver ? 'stopped early' : 'interrupted';
  }

  /** The results are there already: a full disk takes nothing from them. */
  private noteEnd(outcome: TrainOutcome['outcome']): void {
    try {
      this.kept?.folder.end(outcome, this.done);
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

  /** One process stops when it is asked to; of a team all do, after the update in which one of them was. */
  private get stopped(): boolean {
    return this.options.team === undefined ? this.interrupt.signal.aborted : this.agreedToStop;
  }

  private get exitCode(): number {
    return this.stopped ? this.interrupt.exitCode || STOPPED_BY_OTHERS : this.interrupt.exitCode;
  }

  private get isUnsaved(): boolean {
    return this.kept !== undefined && this.kept.keeper.saved < this.done;
  }

  /** Every process of a team stands where the first one does, with its weights and its optimizer's state. */
  private standTogether(team: Team | undefined): Standing {
    const evaluations = this.kept?.log.evaluations ?? [];
    const own = { done: this.done, window: this.window.state, evaluations };
    if (team === undefined) return own;
    const standing = shareStanding(team, own);
    if (team.index > 0) {
      this.done = standing.done;
      if (standing.window !== undefined) this.window.restore(standing.window);
    }
    this.alignValues(team);
    return standing;
  }

  /** @returns whether a process had other values than the first one. */
  private alignValues(team: Team): boolean {
    return team.align(this.variables());
  }

  /** All that the next update depends on. */
  private variables(): tf.Variable[] {
    const { module, state, lossScale } = this.options.step;
    const weights = [...module.state().values()].map(({ variable }) => variable);
    const others = [...state.values()].flatMap((values) => [...values.all]);
    return [...weights, ...others, ...(lossScale?.variables ?? [])];
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
    const epoch = Math.floor(this.epochsDone);
    const end = Math.min((epoch + 1) * this.updatesPerEpoch, this.total);
    const firstBatch = (this.done % this.updatesPerEpoch) * this.options.step.accumulation;
    const batches = this.epochs.open(epoch, firstBatch);
    try {
      while (this.goesOn(end)) {
        const taken = await this.take(batches);
        if (this.done + 1 === end && end < this.total) this.epochs.readAhead(epoch + 1);
        await this.update(taken);
      }
    } finally {
      await batches.return();
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
    const stop = this.interrupt.signal.aborted;
    const { stops, ...values } = this.run(batches, { update: this.done, lr, seed, stop });
    this.done++;
    await this.window.add(this.done, values);
    this.stopwatch.inSteps += (performance.now() - started) / 1000;
    if (stops !== undefined) this.agreedToStop = (await readScalar(stops)) > 0;
    // Signals arrive between turns of the event loop, which ready promises alone never end.
    await new Promise((resolve) => setImmediate(resolve));
    this.stopwatch.seconds += (performance.now() - started) / 1000;
    this.stopwatch.updates++;
    this.dropWarmUp();
    // The first step's loss is what all later ones are held against.
    if (this.done % logEvery === 0 || this.done === 1 || this.done === this.total) this.report(lr);
    if (this.due(this.options.saveEvery ?? 1)) {
      this.keepTogether();
      await this.save();
    }
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
  private dropWarmUp(): void {
    if (!this.isWarm && this.done < this.total) this.stopwatch = newStopwatch();
    this.isWarm = true;
  }

  /** Whether something that happens every so many epochs (or iterations) happens after this update. */
  private due(every: number): boolean {
    const period = 'epochs' in this.options.length ? every * this.updatesPerEpoch : every;
    return this.done % period === 0 || this.done === this.total;
  }

  private report(lr: number): void {
    const values = this.window.take();
    const { seconds, inSteps, updates } = this.stopwatch;
    const { data, step } = this.options;
    const samplesPerSecond = (updates * data.batchSize * step.accumulation) / seconds;
    const rate: Readonly<Record<string, number>> =
      updates > 0 ? { samplesPerSecond, idle: Math.max(0, 1 - inSteps / seconds) } : {};
    this.stopwatch = newStopwatch();
    this.kept?.log.write({ kind: 'train', ...this.position, values: { lr, ...values, ...rate } });
    if (updates > 0) this.progress.show({ ...this.position, lr, losses: values, samplesPerSecond });
  }

  private async evaluate(): Promise<void> {
    const { evaluation, step, team } = this.options;
    const { run, best, onLogged, ema = true } = evaluation!;
    // The others would wait for one that breaks off.
    const signal = team === undefined ? this.interrupt.signal : new AbortController().signal;
    const picture: EvaluationContext['picture'] = (name, image) => this.kept?.log.writePicture(this.done, name, image);
    const evaluate = (): Promise<Record<string, number>> => run({ ...this.position, signal, picture });
    const running = ema && step.ema !== undefined ? step.ema.borrowedBy(evaluate) : evaluate();
    const metrics = await running.catch((error: unknown) => {
      if (!this.stopped) throw error;
      return undefined; // it was cut short
    });
    if (metrics === undefined || this.stopped) return;
    if (best !== undefined && this.kept) {
      await fetchValues(this.variables());
      this.kept.keeper.saveIfBest(this.infoFor(this.kept.folder), metrics, best);
    }
    this.metrics = metrics;
    this.kept?.log.write({ kind: 'evaluation', ...this.position, values: metrics });
    if (this.kept !== undefined) onLogged?.();
    this.patience?.add({ step: this.done, metrics });
    const value = best && this.kept?.keeper.bestValue(best.metric);
    const reached = best && value !== undefined ? { metric: best.metric, value } : undefined;
    this.progress.evaluated({ ...this.position, metrics, best: reached });
  }

  /** A run that ended between a checkpoint and its evaluation evaluates first when it is resumed. */
  private lacksEvaluation(): boolean {
    const { evaluation } = this.options;
    return this.done > 0 && evaluation !== undefined && this.due(evaluation.every) && !this.evaluated.has(this.done);
  }

  /** Only sound states get here: what is not finite ends the update that made it. */
  private async save(): Promise<void> {
    if (this.kept === undefined || !this.isUnsaved) return;
    await fetchValues(this.variables());
    this.kept.keeper.saveLast(this.infoFor(this.kept.folder));
  }

  /** Machines of different kinds may round differently; before a checkpoint, all go on from what it holds. */
  private keepTogether(): void {
    const { team } = this.options;
    if (team === undefined || !this.alignValues(team)) return;
    this.progress.warn(`after step ${this.done} the workers' weights differed; all go on with those of the first one`);
  }

  private get position(): { step: number; epoch: number } {
    return { step: this.done, epoch: Number(this.epochsDone.toFixed(4)) };
  }

  private infoFor({ config }: RunFolder): CheckpointInfo {
    const { seed } = this.options;
    return { ...this.position, updatesPerEpoch: this.updatesPerEpoch, seed, config, window: this.window.state };
  }

  private resume(
    folder: RunFolder,
    keeper: CheckpointKeeper,
    { step, updatesPerEpoch, seed, window }: CheckpointInfo,
  ): void {
    const { seed: ownSeed } = this.options;
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
    if (where === folder.file(LAST)) keeper.resumedAt(step);
  }

  /** Files may have been deleted while the run went on. */
  private whatIsThere(): string {
    const isThere = (name: string): boolean => this.kept !== undefined && existsSync(this.kept.folder.file(name));
    const saved = this.kept?.keeper.saved ?? -1;
    if (saved >= 0 && isThere(LAST)) return `the one there is from step ${saved}`;
    return isThere(BEST) ? `of this run ${BEST} alone is there` : 'no checkpoint of this run is there';
  }
}

/** Seconds and updates since the last line of the log; of the seconds, those until the values of a step were there. */
const newStopwatch = () => ({ seconds: 0, inSteps: 0, updates: 0 });

/** With the evaluations that the run had before. */
function patienceOf(evaluation: Evaluation | undefined, before: readonly Evaluated[]): Patience | undefined {
  if (evaluation?.patience === undefined) return undefined;
  if (evaluation.best === undefined) throw new TrainingError('patience: expected a metric that tells the best', 2);
  const patience = new Patience(evaluation.best, evaluation.patience);
  before.forEach((evaluated) => patience.add(evaluated));
  return patience;
}

async function readScalar(scalar: tf.Tensor): Promise<number> {
  const [value = NaN] = await scalar.data<'float32'>();
  scalar.dispose();
  return value;
}

function disposeAll(batches: readonly Batch[]): void {
  for (const batch of batches) tf.dispose(batch);
}
