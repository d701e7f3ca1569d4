import {
  loadWeights,
  openCheckpoint,
  WeightsError,
  type CheckpointOptions,
  type LoadOptions,
  type LoadReport,
  type StoredTensor,
} from '@pyramidal/checkpoints';
import type { Module } from '@pyramidal/nn';
import { infoOf, type CheckpointInfo } from './checkpoint';
import { TrainingError } from './training-error';

export interface LoadFileOptions extends LoadOptions, CheckpointOptions {
  /** Take the averaged weights where the file has them; true unless given. */
  readonly ema?: boolean;
}

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
export function loadWeightsFile(
  path: string,
  module: Module,
  { ema = true, ...options }: LoadFileOptions = {},
): LoadedFile {
  const file = openCheckpoint(path, options);
  try {
    const info = infoOf(path, file);
    const tensors = info === undefined ? file.tensors : modelTensors(file.tensors, ema);
    return { report: loadWeights(module, tensors, options), info };
  } catch (error) {
    throw error instanceof WeightsError ? new TrainingError(`${path}: ${error.message}`, 2) : error;
  } finally {
    file.close();
  }
}

const AVERAGE = 'ema.';

/** The model's own tensors, those that were averaged replaced if asked for. */
function modelTensors(tensors: ReadonlyMap<string, StoredTensor>, ema: boolean): Map<string, StoredTensor> {
  const own = [...tensors].filter(([name]) => !name.startsWith(AVERAGE) && !name.startsWith('optimizer.'));
  return new Map(own.map(([name, tensor]) => [name, (ema && tensors.get(AVERAGE + name)) || tensor]));
}
