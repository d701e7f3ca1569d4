/** Weights of a file, and what it tells of their model, into a module: of a checkpoint of training, or of any file that checkpoints reads. */
import {
  CheckpointError,
  describeStart,
  finalWeights,
  loadWeights,
  MisfitError,
  modelWeights,
  openCheckpoint,
  startFromWeights,
  type CheckpointOptions,
  type LoadOptions,
  type LoadReport,
  type StoredTensor,
  type TensorFile,
} from '@pyramidal/checkpoints';
import type { Module } from '@pyramidal/nn';
import { infoOf, type CheckpointInfo } from './checkpoint';
import { modelCardOf, type ModelCard } from './model-card';
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

/** A file with weights, open until it is closed. */
export interface WeightsFile {
  /** What errors call it. */
  readonly path: string;
  /** What it tells of its model, if it does. */
  readonly card: ModelCard | undefined;
  /**
   * Loads its weights into a module that need not be initialised.
   * @throws CheckpointError if they are damaged; TrainingError if they do not fit. Nothing is changed then.
   */
  load(module: Module, options?: LoadOptions & Pick<LoadFileOptions, 'ema'>): LoadedFile;
  close(): void;
}

/**
 * Opens a checkpoint of training, or any file that @pyramidal/checkpoints opens.
 * @param source its path, or the bytes of a safetensors file.
 * @throws CheckpointError or FileError if it is damaged.
 */
export function openWeightsFile(source: string | Uint8Array, options: CheckpointOptions = {}): WeightsFile {
  const path = typeof source === 'string' ? source : 'weights';
  const file = openCheckpoint(source, options);
  try {
    const info = infoOf(path, file);
    return {
      path,
      card: modelCardOf(path, file),
      load: (module, { ema = true, ...loading } = {}) =>
        namingFile(path, () => ({ report: loadWeights(module, usedTensors(file, info, ema), loading), info })),
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Loads weights into a module that need not be initialised: from a checkpoint of training, or from any file that
 * @pyramidal/checkpoints opens.
 * @throws CheckpointError if the file is damaged; TrainingError if its weights do not fit. Nothing is changed then.
 */
export function loadWeightsFile(path: string, module: Module, options: LoadFileOptions = {}): LoadedFile {
  const file = openWeightsFile(path, options);
  try {
    return file.load(module, options);
  } finally {
    file.close();
  }
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
  const file = openCheckpoint(path);
  try {
    const tensors = usedTensors(file, infoOf(path, file), true);
    const report = namingFile(path, () => startFromWeights(module, tensors));
    for (const line of describeStart(path, report, module)) say(line);
    return report;
  } finally {
    file.close();
  }
}

/** Of a checkpoint of training the averages, where they are wanted, or the weights as trained; else all that is there. */
function usedTensors(
  { tensors }: Pick<TensorFile, 'tensors'>,
  info: CheckpointInfo | undefined,
  ema: boolean,
): ReadonlyMap<string, StoredTensor> {
  if (info === undefined) return tensors;
  return ema ? finalWeights(tensors) : modelWeights(tensors);
}

/** Puts the file before what does not fit, or is in it. */
function namingFile<T>(path: string, load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.message.startsWith(path)) throw error;
    throw new TrainingError(`${path}: ${error.message}`, error instanceof MisfitError ? 2 : 1);
  }
}
