/** A checkpoint of training: weights, averages and optimizer state in one safetensors file. */
import { readSafetensors, writeSafetensors, type StoredTensor, type TensorFile } from '@pyramidal/checkpoints';
import { oneLine, parseRecord } from '@pyramidal/files';
import type { Parameter } from '@pyramidal/nn';
import type { z } from 'zod';
import { cardTexts, type ModelDescription } from './model-card';
import { checkpointInfo } from './run/records';
import { TrainingError } from './training-error';
import type { TrainStep } from './train-step';

const FORMAT = 'pyramidal-training 1';

/**
 * What a checkpoint knows besides tensors: `step` updates done, the `epoch` they make, `updatesPerEpoch`, the `seed` that
 * every random draw derives from together with the step, the resolved `config`, the log's values since its last line
 * (`window`), where the `lossScale` stands, and the `metrics` of the evaluation that it was kept for.
 */
export type CheckpointInfo = z.output<typeof checkpointInfo>;

export interface SaveOptions {
  /** Whether the optimizer's state goes along; default true. */
  readonly optimizer?: boolean;
  /** What readers need to use the weights; a file without it serves training alone. */
  readonly model?: ModelDescription | undefined;
}

/**
 * Writes weights under their official names in PyTorch's layout, `ema.*` averages and, if asked for, `optimizer.*`
 * state as one safetensors file, whole or not at all.
 * @throws CheckpointError if it cannot be written; TrainingError if a value is not finite. The old file stays.
 */
export function saveCheckpoint(
  path: string,
  step: TrainStep,
  info: CheckpointInfo,
  { optimizer = true, model }: SaveOptions = {},
): void {
  const entries = savedTensors(step)
    .filter(({ name }) => optimizer || !name.startsWith('optimizer.'))
    .map((tensor) => [tensor.name, storedTensor(path, tensor)] as const);
  const { config, metrics } = info;
  const card = model === undefined ? { config } : cardTexts({ ...model, config, metrics });
  const training = JSON.stringify({ ...info, lossScale: step.lossScale?.state });
  writeSafetensors(path, entries, { format: FORMAT, training, ...card }, { checksums: true });
}

/**
 * Puts a checkpoint's weights, averages and optimizer state back.
 * @throws CheckpointError or FileError if the file is damaged; TrainingError if it belongs to another model or
 * optimizer, and nothing has been changed then.
 */
export function loadCheckpoint(path: string, step: TrainStep): CheckpointInfo {
  const file = readSafetensors(path);
  try {
    const info = requireInfo(path, file);
    checkTensors(path, file, savedTensors(step));
    const valuesOf = (name: string, parameter: Parameter): Float32Array =>
      parameter.fromTorchOrder(file.tensors.get(name)!.data as Float32Array);
    for (const [name, parameter] of step.module.state()) {
      parameter.assignTorch(file.tensors.get(name)!.data as Float32Array);
    }
    for (const [kind, values] of step.state) {
      values.restore(({ name, parameter }) => valuesOf(`${kind}.${name}`, parameter));
    }
    if (info.lossScale !== undefined) step.lossScale?.restore(info.lossScale);
    return info;
  } finally {
    file.close();
  }
}

/** A tensor as a checkpoint names it. */
interface SavedTensor {
  readonly name: string;
  readonly parameter: Parameter;
  /** Fetches the values, in our order. */
  readonly read: () => Float32Array;
}

/** Everything that a run's next step depends on. */
function savedTensors({ module, optimizer, state }: TrainStep): SavedTensor[] {
  const weights = [...module.state()].map(([name, parameter]) => {
    return { name, parameter, read: () => parameter.variable.dataSync<'float32'>() };
  });
  const others = [...state].flatMap(([kind, values]) => {
    const readers = values.readers();
    return [...optimizer.parameters].map(([name, parameter]) => {
      return { name: `${kind}.${name}`, parameter, read: readers.get(name)! };
    });
  });
  return [...weights, ...others];
}

const storedTensor = (path: string, { name, parameter, read }: SavedTensor): StoredTensor => ({
  dtype: 'float32',
  shape: [...parameter.torchShape],
  get data() {
    const values = read();
    if (!allFinite(values)) {
      throw new TrainingError(`${path}: not written, as ${name} holds values that are not finite; training stops`);
    }
    return parameter.toTorchOrder(values);
  },
});

function allFinite(data: Float32Array): boolean {
  let sum = 0;
  for (const value of data) sum += value * 0;
  return sum === 0;
}

/**
 * What training wrote into a file besides tensors; undefined for other files.
 * @throws FileError that names the field if it is damaged.
 */
export function infoOf(path: string, { metadata }: Pick<TensorFile, 'metadata'>): CheckpointInfo | undefined {
  if (metadata['format'] !== FORMAT) return undefined;
  return parseRecord(`${path}: its record of training`, metadata['training'] ?? '', checkpointInfo);
}

/** What training wrote into a checkpoint. @throws TrainingError if another program wrote the file. */
export function requireInfo(path: string, file: Pick<TensorFile, 'metadata'>): CheckpointInfo {
  const info = infoOf(path, file);
  if (info !== undefined) return info;
  throw new TrainingError(`${path}: expected a checkpoint written by training, this file has no record of a run`, 2);
}

/** Both sides must name the same tensors with the same shapes. */
function checkTensors(path: string, { tensors }: TensorFile, expected: readonly SavedTensor[]): void {
  const names = new Set(expected.map(({ name }) => name));
  const missing = [...names].filter((name) => !tensors.has(name));
  const unexpected = [...tensors.keys()].filter((name) => !names.has(name));
  const reshaped = expected.flatMap(({ name, parameter: { torchShape } }) => {
    const { shape = torchShape, dtype = 'float32' } = tensors.get(name) ?? {};
    const fits = String(shape) === String(torchShape) && dtype === 'float32';
    return fits ? [] : [`${name} ${dtype} [${shape}], expected float32 [${torchShape}]`];
  });
  const problems = [
    summary('missing', missing),
    summary('of another shape', reshaped),
    summary('that the model does not have', unexpected),
  ].filter((problem) => problem !== '');
  if (problems.length === 0) return;
  if (reshaped.length + unexpected.length === 0 && missing.every((name) => name.startsWith('optimizer.'))) {
    const advice = `--set model.weights=${path} and another --out start from the weights`;
    throw new TrainingError(`${path}: holds no state of the optimizer, which a run needs to go on; ${advice}`, 2);
  }
  throw new TrainingError(`${path}: belongs to another model or optimizer: ${problems.join('; ')}`, 2);
}

/** Characters of a name that a file gives. */
const LONGEST_NAME = 200;

function summary(what: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const first = oneLine(names[0]!, LONGEST_NAME);
  return `${names.length} tensor${names.length === 1 ? '' : 's'} ${what} (${first}${names.length > 1 ? ', ...' : ''})`;
}
