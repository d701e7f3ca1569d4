/** Which checkpoints of a run are kept: the last, the best and some numbered ones. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError, readSafetensors } from '@pyramidal/checkpoints';
import { duplicateFile, FileError, readJson, removeFile, writeJson } from '@pyramidal/files';
import { infoOf, saveCheckpoint, type CheckpointInfo } from './checkpoint';
import type { ModelDescription } from './model-card';
import { BEST, BEST_RECORD, LAST, numberedCheckpoints, numberedName } from './run/find-checkpoint';
import { isBetterThan } from './patience';
import { bestRecord } from './run/records';
import type { RunFolder } from './run/run-folder';
import { TrainingError } from './training-error';
import type { TrainStep } from './train-step';

/** How many checkpoints are kept, and what follows when one cannot be written. */
interface KeeperOptions {
  /** How many numbered checkpoints stay, besides `last` and `best`. */
  readonly keep: number;
  /** What follows when a checkpoint cannot be written: go on and try again next time, or stop. */
  readonly onSaveError: 'continue' | 'stop';
  readonly warn: (message: string) => void;
  /** What goes into every checkpoint, for those who use it. */
  readonly model: ModelDescription | undefined;
}

/** Which metric of an evaluation says how good the weights are. */
export interface BestRule {
  readonly metric: string;
  readonly mode?: 'max' | 'min';
}

/** Keeps the checkpoints of a run: the last one, the best one, and some numbered ones. */
export class CheckpointKeeper {
  /** Updates done when `last` was written; -1 before. */
  private savedStep = -1;

  constructor(
    private readonly folder: RunFolder,
    private readonly step: TrainStep,
    private readonly options: KeeperOptions,
  ) {}

  get saved(): number {
    return this.savedStep;
  }

  /** Notes that the run went on from its last checkpoint. */
  resumedAt(step: number): void {
    this.savedStep = step;
  }

  /** @throws TrainingError or CheckpointError if it cannot be written and `onSaveError` is 'stop'. */
  saveLast(info: CheckpointInfo): void {
    this.attempt(() => {
      this.writeLast(info);
      if (this.options.keep > 0) this.keepNumbered(info.step);
    });
  }

  private writeLast(info: CheckpointInfo): void {
    saveCheckpoint(this.folder.file(LAST), this.step, info, { model: this.options.model });
    this.savedStep = info.step;
  }

  /** Writes `best.safetensors` (without optimizer state) and `best.json` if the metrics beat the best until now. */
  saveIfBest(info: CheckpointInfo, metrics: Readonly<Record<string, number>>, rule: BestRule): void {
    const { metric } = rule;
    const value = metrics[metric];
    if (value === undefined) {
      throw new TrainingError(`best metric: expected one of ${Object.keys(metrics).join(', ')}, received ${metric}`, 2);
    }
    const best = this.bestValue(metric);
    const isBetter = best === undefined || isBetterThan(value, best, rule);
    if (!isBetter || Number.isNaN(value)) return;
    // No run goes on from the best checkpoint alone.
    if (!existsSync(this.folder.file(LAST))) this.attempt(() => this.writeLast(info));
    this.attempt(() => {
      const options = { optimizer: false, model: this.options.model };
      saveCheckpoint(this.folder.file(BEST), this.step, { ...info, metrics }, options);
      const record = { metric, value, step: info.step, epoch: info.epoch, metrics };
      writeJson(this.folder.file(BEST_RECORD), record);
    });
  }

  /**
   * The best value of a metric: from `best.json`; where that is missing, from the record in `best.safetensors` itself. Without
   * those weights there is no best: the next evaluation gives one.
   */
  bestValue(metric: string): number | undefined {
    const [record, weights] = [this.folder.file(BEST_RECORD), this.folder.file(BEST)];
    if (!existsSync(weights)) return undefined;
    if (existsSync(record)) {
      const best = readJson(record, bestRecord);
      return best.metric === metric ? best.value : undefined;
    }
    const file = readSafetensors(weights);
    try {
      return infoOf(weights, file)?.metrics?.[metric];
    } finally {
      file.close();
    }
  }

  private keepNumbered(step: number): void {
    const { folder } = this.folder;
    duplicateFile(this.folder.file(LAST), join(folder, numberedName(step)));
    // Those of later steps are damaged ones that the run was taken back from; they count for nothing.
    const superfluous = numberedCheckpoints(folder)
      .filter((numbered) => numbered.step <= step)
      .slice(this.options.keep);
    for (const { name } of superfluous) removeFile(join(folder, name));
  }

  private attempt(write: () => void): void {
    try {
      write();
    } catch (error) {
      const isDisk = error instanceof CheckpointError || error instanceof FileError;
      if (!isDisk || this.options.onSaveError === 'stop') throw error;
      this.options.warn(`${(error as Error).message}; training goes on and tries again at the next checkpoint`);
    }
  }
}
