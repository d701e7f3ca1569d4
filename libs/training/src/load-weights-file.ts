/** Weights of a file into a module: of a checkpoint of training, or of any file that checkpoints reads. */
import {
  CheckpointError,
  describeStart,
  finalWeights,
  loadWeights,
  modelWeights,
  openCheckpoint,
  startFromWeights,
  type CheckpointOptions,
  type LoadOptions,
  type LoadReport,
  type StoredTensor,
} from '@pyramidal/checkpoints';
import type { Module } from '@pyramidal/nn';
import { infoOf, type CheckpointInfo } from './checkpoint';
import { TrainingError } from './training-error';

/** How a file is opened and its names are matched. */
export interface LoadFileOptions extends LoadOptions, CheckpointOptions {
  /** Take the averaged weights where the file has them; default true. */
  readonly ema?: boolean;
}

/** What became of a file that was loaded. */
export interface LoadedFile {
  readonly report: LoadReport;
  /** Step, configuration and the like, if training here wrote the file. */
  readonly info: CheckpointInfo | undefined;
}

/**
 * Loads weights into a module that need not be initialised: from a checkpoint of training, or from any file that
 * @pyramidal/checkpoints opens.
 * @throws CheckpointError if the file is damaged; TrainingError if its weights do not fit. Nothing is changed then.
 */
export function loadWeightsFile(path: string, module: Module, options: LoadFileOptions = {}): LoadedFile {
  return withTensors(path, options, (tensors, info) => ({ report: loadWeights(module, tensors, options), info }));
}

/** Says what became of a file that was loaded, a line each. */
export function describeLoaded(path: string, { report, info }: LoadedFile): string[] {
  const [loaded, ...others] = describeStart(path, report);
  return [info === undefined ? loaded! : `${loaded}, of step ${info.step}`, ...others];
}

/**
 * Starts a training from the weights in a file of any kind: the backbone from it, heads where they fit.
 * @param say gets a line for each group of tensors that was loaded, drawn anew or left out, with the reason.
 * @throws CheckpointError if the file is damaged; TrainingError if its backbone does not fit. Nothing is changed then.
 */
export function startFromFile(path: string, module: Module, say: (line: string) => void = console.error): LoadReport {
  const report = withTensors(path, {}, (tensors) => startFromWeights(module, tensors));
  for (const line of describeStart(path, report)) say(line);
  return report;
}

function withTensors<T>(
  path: string,
  { ema = true, ...options }: LoadFileOptions,
  use: (tensors: ReadonlyMap<string, StoredTensor>, info: CheckpointInfo | undefined) => T,
): T {
  const file = openCheckpoint(path, options);
  try {
    const info = infoOf(path, file);
    if (info === undefined) return use(file.tensors, info);
    return use(ema ? finalWeights(file.tensors) : modelWeights(file.tensors), info);
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.message.startsWith(path)) throw error;
    throw new TrainingError(`${path}: ${error.message}`, 2);
  } finally {
    file.close();
  }
}
