import * as tf from '@tensorflow/tfjs-core';
import { readSafetensors, writeSafetensors, type StoredTensor, type TensorFile } from '@pyramidal/checkpoints';
import { fromTorchOrder, toTorchOrder } from '@pyramidal/nn';
import type { Slot } from './optimizer';
import { TrainingError } from './training-error';
import type { TrainStep } from './train-step';
import type { WindowState } from './value-window';

const FORMAT = 'pyramidal-training 1';

/** What a checkpoint knows besides tensors. */
export interface CheckpointInfo {
  /** Updates done. */
  readonly step: number;
  readonly epoch: number;
  /** Place in the data: updates an epoch has; the rest follows from `step`. */
  readonly updatesPerEpoch: number;
  /** The seed that every random draw of the run derives from, together with the step. */
  readonly seed: number;
  /** The resolved configuration. */
  readonly config: string;
  /** Values since the last line of the log. */
  readonly window?: WindowState;
  /** Result of the evaluation that this checkpoint was kept for. */
  readonly metrics?: Readonly<Record<string, number>>;
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
  { optimizer = true }: { optimizer?: boolean } = {},
): void {
  const slots = slotsOf(step).filter(([name]) => optimizer || !name.startsWith('optimizer.'));
  const entries = slots.map(([name, slot]) => [name, storedSlot(path, name, slot)] as const);
  writeSafetensors(path, entries, { format: FORMAT, training: JSON.stringify(info), config: info.config });
}

/**
 * Puts a checkpoint's weights, averages and optimizer state back.
 * @throws CheckpointError if the file is damaged; TrainingError if it belongs to another model or optimizer. Nothing
 * has been changed then.
 */
export function loadCheckpoint(path: string, step: TrainStep): CheckpointInfo {
  const file = readSafetensors(path);
  try {
    const info = infoOf(file);
    if (info === undefined) {
      throw new TrainingError(
        `${path}: expected a checkpoint written by training, this file has no record of a run`,
        2,
      );
    }
    const slots = new Map(slotsOf(step));
    checkNames(path, file, slots);
    const values = [...slots].map(([name, slot]) => ({ slot, data: float32Of(path, name, file) }));
    for (const { slot, data } of values) assign(slot, data);
    return info;
  } finally {
    file.close();
  }
}

/** Everything that a run's next step depends on, under its name in the file. */
function slotsOf({ module, ema, optimizer }: TrainStep): [string, Slot][] {
  const weights = [...module.state()].map(([name, parameter]) => [name, { parameter, variable: parameter.variable }]);
  return [
    ...(weights as [string, Slot][]),
    ...[...(ema?.slots ?? [])].map(([name, slot]): [string, Slot] => [`ema.${name}`, slot]),
    ...[...optimizer.slots].map(([name, slot]): [string, Slot] => [`optimizer.${name}`, slot]),
  ];
}

const storedSlot = (path: string, name: string, { variable, parameter }: Slot): StoredTensor => ({
  dtype: 'float32',
  shape: [...parameter.torchShape],
  get data() {
    const data = variable.dataSync<'float32'>();
    if (!allFinite(data)) {
      throw new TrainingError(`${path}: not written, as ${name} holds values that are not finite; training stops`);
    }
    return toTorchOrder(data, parameter.shape, parameter.layout);
  },
});

function allFinite(data: Float32Array): boolean {
  let sum = 0;
  for (const value of data) sum += value * 0;
  return sum === 0;
}

function assign({ variable, parameter: { shape, torchShape, layout } }: Slot, data: Float32Array): void {
  tf.tidy(() => variable.assign(tf.tensor(fromTorchOrder(data, torchShape, layout), [...shape], 'float32')));
}

/** What training wrote into a file besides tensors; undefined for other files. */
export function infoOf({ metadata }: Pick<TensorFile, 'metadata'>): CheckpointInfo | undefined {
  return metadata['format'] === FORMAT ? (JSON.parse(metadata['training']!) as CheckpointInfo) : undefined;
}

/** Both sides must name the same tensors with the same shapes. */
function checkNames(path: string, { tensors }: TensorFile, expected: ReadonlyMap<string, Slot>): void {
  const missing = [...expected.keys()].filter((name) => !tensors.has(name));
  const unexpected = [...tensors.keys()].filter((name) => !expected.has(name));
  const reshaped = [...expected].flatMap(([name, { parameter }]) => {
    const shape = tensors.get(name)?.shape;
    return shape === undefined || String(shape) === String(parameter.torchShape)
      ? []
      : [`${name} [${shape}], expected [${parameter.torchShape}]`];
  });
  const problems = [
    summary('missing', missing),
    summary('of another shape', reshaped),
    summary('that the model does not have', unexpected),
  ].filter((problem) => problem !== '');
  if (problems.length === 0) return;
  throw new TrainingError(`${path}: belongs to another model or optimizer: ${problems.join('; ')}`, 2);
}

function summary(what: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  return `${names.length} tensor${names.length === 1 ? '' : 's'} ${what} (${names[0]}${names.length > 1 ? ', ...' : ''})`;
}

function float32Of(path: string, name: string, { tensors }: TensorFile): Float32Array {
  const { data } = tensors.get(name)!;
  if (data instanceof Float32Array) return data;
  throw new TrainingError(`${path}: ${name}: expected float32 values`, 2);
}
