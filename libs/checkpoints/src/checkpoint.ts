/** Opens a weights file of any kind and finds the state dict in it. */
import { withChecksums } from './checksums';
import { detectFormat } from './detect-format';
import type { StoredTensor, TensorFile } from './dtype';
import { checkpointError, FormatError, namingFile, quote } from './errors';
import { trainedWeights, withoutWrapper } from './names';
import { PickleObject, typeName } from './pickle-values';
import { parseSafetensors } from './parse-safetensors';
import { readSafetensors } from './safetensors';
import { readTorch } from './torch-file';
import { TorchTensor } from './torch-tensor';

export interface CheckpointOptions {
  /**
   * Which weights to take. Of a PyTorch file: a state dict by its key (`model_ema`), by default the model's own. Of a
   * safetensors file that training here wrote: `model`, or `ema` for the averages; by default all that it holds.
   */
  readonly entry?: string;
}

/** Weights under PyTorch's names and what else their file holds. */
export interface Checkpoint extends TensorFile {
  readonly format: 'safetensors' | 'pytorch';
  /** The entry of the file that the tensors come from; '' if the file is nothing but tensors. */
  readonly entry: string;
  /** The other entries of a PyTorch file: epoch, optimizer, args. */
  readonly others: ReadonlyMap<string, unknown>;
}

/** Where training code keeps the model: `model` (GroupMixFormer, CoaT, SMT, DeiT), `state_dict` (OpenMMLab, timm). */
const MODEL_ENTRIES = ['model', 'state_dict', 'model_state_dict', 'model_state', 'net', 'network', 'params'];

/**
 * Opens a weights file of any kind: safetensors, or what `torch.save` wrote. Finds the state dict in it and takes off
 * prefixes that wrappers put before every name (`module.`). Tensors are read when asked for: keep it open until then.
 * @param source its path, or the bytes of a safetensors file, which errors call `weights`.
 * @throws CheckpointError with one line that says what is wrong with the file.
 */
export function openCheckpoint(source: string | Uint8Array, options: CheckpointOptions = {}): Checkpoint {
  if (typeof source !== 'string') return openSafetensors(IN_MEMORY, inMemory(source), options);
  if (detectFormat(source) === 'pytorch') return openTorch(source, options);
  return openSafetensors(source, readSafetensors(source), options);
}

/** What errors call a file that was given as its bytes. */
const IN_MEMORY = 'weights';

const inMemory = (bytes: Uint8Array): TensorFile =>
  withChecksums(IN_MEMORY, { ...parseSafetensors(bytes, IN_MEMORY), close: () => undefined });

function openSafetensors(path: string, file: TensorFile, { entry = '' }: CheckpointOptions): Checkpoint {
  const tensors = entry === '' ? file.tensors : trainedWeights(file.tensors, entry);
  if (!tensors) {
    file.close();
    throw checkpointError(path, `has no entry ${quote(entry)}`);
  }
  return { ...file, tensors: withoutWrapper(tensors), format: 'safetensors', entry, others: new Map() };
}

function openTorch(path: string, { entry }: CheckpointOptions): Checkpoint {
  const file = readTorch(path);
  try {
    const found = namingFile(path, () => findStateDict(file.root, entry));
    return { ...found, tensors: withoutWrapper(found.tensors), metadata: {}, format: 'pytorch', close: file.close };
  } catch (error) {
    file.close();
    throw error;
  }
}

type Found = Pick<Checkpoint, 'tensors' | 'entry' | 'others'>;

function findStateDict(root: unknown, entry: string | undefined): Found {
  if (root instanceof PickleObject) {
    throw new FormatError(`it holds ${typeName(root)}, expected a state_dict: save model.state_dict() in Python`);
  }
  if (!(root instanceof Map)) throw new FormatError(`it holds ${typeName(root)}, expected a dict of tensors`);
  const candidates = stateDicts(root);
  const known = MODEL_ENTRIES.flatMap((name) => [...candidates.keys()].filter((key) => isWithin(key, name)))[0];
  const chosen =
    entry ?? known ?? (isStateDict(root) ? '' : candidates.size === 1 ? [...candidates.keys()][0] : undefined);
  if (chosen === '') return { entry: '', ...splitTensors(root) };
  const dict = chosen === undefined ? undefined : candidates.get(chosen);
  if (chosen === undefined || dict === undefined) throw new FormatError(notFound(entry, [...candidates.keys()]));
  const { tensors, others } = splitTensors(dict);
  const rest = [...root].filter(([key]) => key !== chosen).map(([key, value]) => [nameOf(key), value] as const);
  return { entry: chosen, tensors, others: new Map([...rest, ...others]) };
}

const isWithin = (key: string, entry: string): boolean => key === entry || key.startsWith(`${entry}.`);

function notFound(entry: string | undefined, candidates: readonly string[]): string {
  if (candidates.length === 0) return 'it holds no dict of tensors';
  const list = candidates.map((name) => quote(name)).join(', ');
  if (entry === undefined) return `it holds several dicts of tensors, choose an entry: ${list}`;
  return `its entry ${quote(entry)} is not a dict of tensors, expected one of ${list}`;
}

/**
 * The state dicts in a dict by their keys; where there are none, those one level below (`ema.module`). However many of the
 * values are one dict, that is looked through once.
 */
function stateDicts(root: ReadonlyMap<unknown, unknown>): ReadonlyMap<string, Dict> {
  const answers = new Map([...new Set(root.values())].map((value) => [value, isStateDict(value)]));
  const direct = dictsIn(root, '').filter(([, dict]) => answers.get(dict));
  if (direct.length > 0) return new Map(direct);
  const seen = new Set<Dict>();
  const below = dictsIn(root, '').flatMap(([key, dict]) => {
    if (NO_MODEL.has(key) || seen.has(dict)) return [];
    seen.add(dict);
    return dictsIn(dict, `${key}.`).filter(([, inner]) => isStateDict(inner));
  });
  return new Map(below);
}

type Dict = Map<string, unknown>;

/** The dicts among the values of a dict, by text keys. */
const dictsIn = (dict: ReadonlyMap<unknown, unknown>, prefix: string): [string, Dict][] =>
  [...dict].flatMap(([key, value]): [string, Dict][] =>
    typeof key === 'string' && value instanceof Map ? [[prefix + key, value]] : [],
  );

/** What training code keeps beside the model, which also holds tensors by name. */
const NO_MODEL = new Set(['optimizer', 'optimizers', 'optimizer_states', 'lr_scheduler', 'lr_schedulers', 'scaler']);

/** Keys may be anything in Python, and may hold themselves. */
const nameOf = (key: unknown): string => (typeof key === 'object' && key !== null ? typeName(key) : String(key));

/** A dict with text as keys and at least one tensor. */
function isStateDict(value: unknown): value is Map<string, unknown> {
  if (!(value instanceof Map)) return false;
  const keys = [...value.keys()];
  return keys.every((key) => typeof key === 'string') && keys.some((key) => value.get(key) instanceof TorchTensor);
}

function splitTensors(dict: ReadonlyMap<unknown, unknown>): Pick<Found, 'tensors' | 'others'> {
  const tensors = new Map<string, StoredTensor>();
  const others = new Map<string, unknown>();
  for (const [key, value] of dict) {
    if (value instanceof TorchTensor) tensors.set(nameOf(key), value);
    else others.set(nameOf(key), value);
  }
  return { tensors, others };
}
