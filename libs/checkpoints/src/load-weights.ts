/** Loads tensors into a module by name, with a report of every name. */
import type { Module, Parameter } from '@pyramidal/nn';
import { describe, isSameData, type StoredTensor } from './dtype';
import { CheckpointError, oneLine } from './errors';
import { fitNames, isClassHead } from './names';
import { toFloat32 } from './numbers';
import { isPositionTensor, resizePositions } from './resize-positions';
import { TorchTensor } from './torch-tensor';

export interface LoadOptions {
  /** Class heads of another class count keep the module's values. */
  readonly skipClassHeads?: boolean;
  /** Position embeddings of another image size are resized bicubically. */
  readonly resizePositions?: boolean;
  /** Names of the module that may be missing from the file and keep the module's values. */
  readonly allowMissing?: NameTest;
  /** Names of the module that keep its values where the file has another shape. */
  readonly allowMisshaped?: NameTest;
  /** Names of the file that may be without a place in the module. */
  readonly allowUnexpected?: NameTest;
}

type NameTest = RegExp | ((name: string) => boolean);

export interface Misshaped {
  readonly name: string;
  /** `float32 [10, 320]`, PyTorch's order. */
  readonly expected: string;
  readonly received: string;
}

/** What becomes of every name of the module and of the file. */
export interface LoadReport {
  readonly loaded: readonly string[];
  /** Loaded after the change of size that was asked for. */
  readonly resized: readonly string[];
  /** In the module, not in the file. */
  readonly missing: readonly string[];
  /** In the file, without a place in the module. */
  readonly unexpected: readonly string[];
  readonly misshaped: readonly Misshaped[];
  /** In the module, and left as it is because the options say so. */
  readonly kept: readonly string[];
  /** Those of the kept whose shape in the file is another. */
  readonly misfits: readonly Misshaped[];
  /** In the file, and rightly without a place: other parts of a detector, batch counters, what the options name. */
  readonly ignored: readonly string[];
}

/** A sound file whose weights do not fit the module; nothing was changed. */
export class MisfitError extends CheckpointError {
  constructor(reason: string) {
    super(`the weights do not fit: ${reason}`);
  }
}

/** The same, with all that does not fit. */
export class WeightsError extends MisfitError {
  constructor(readonly report: LoadReport) {
    super(summarize(report));
  }
}

/** A parameter and the tensor it takes its values from. */
interface Assignment {
  readonly name: string;
  readonly parameter: Parameter;
  readonly values: () => Float32Array;
}

/**
 * Loads weights into a module, wherever the two use different names for the same thing: a classifier's backbone into
 * a detector, a detector's backbone into a classifier.
 *
 * Every tensor is read once before the first is assigned, so a damaged file changes nothing; one tensor is in memory
 * at a time.
 * @param tensors of an open checkpoint, in PyTorch's layout; floating point of any width.
 * @throws WeightsError if anything is missing, unexpected or mis-shaped beyond what the options allow; CheckpointError for values
 * that no network computes with.
 */
export function loadWeights(
  module: Module,
  tensors: ReadonlyMap<string, StoredTensor>,
  options: LoadOptions = {},
): LoadReport {
  const { report, assignments } = plan(module, tensors, options);
  if (report.missing.length + report.unexpected.length + report.misshaped.length > 0) throw new WeightsError(report);
  for (const { name, values } of assignments) requireUsable(name, values());
  for (const { parameter, values } of assignments) parameter.assignTorch(values());
  return report;
}

/** Squares of larger numbers are beyond float32: a norm or a product of two makes infinity of them. */
const LARGEST = 1.8e19;

/** Outputs that are no numbers would look like results: nothing detected, the first class everywhere. */
function requireUsable(name: string, values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value <= LARGEST && value >= -LARGEST) continue;
    throw new CheckpointError(`${name}[${i}]: expected a finite number of at most ${LARGEST}, received ${value}`);
  }
}

/** What `loadWeights` would do, without doing it. */
export function compareWeights(
  module: Module,
  tensors: ReadonlyMap<string, StoredTensor>,
  options: LoadOptions = {},
): LoadReport {
  return plan(module, tensors, options).report;
}

function plan(
  module: Module,
  given: ReadonlyMap<string, StoredTensor>,
  options: LoadOptions,
): { report: LoadReport; assignments: Assignment[] } {
  const state = module.state();
  const aliases = module.aliases();
  const fitted = fitNames(given, new Set([...state.keys(), ...aliases.keys()]));
  const tensors = resolveAliases(fitted.tensors, aliases);

  const report = {
    loaded: [] as string[],
    resized: [] as string[],
    missing: [] as string[],
    unexpected: [] as string[],
    misshaped: [] as Misshaped[],
    kept: [] as string[],
    misfits: [] as Misshaped[],
    ignored: [...fitted.ignored],
  };
  const assignments: Assignment[] = [];
  for (const [name, parameter] of state) {
    const tensor = tensors.get(name);
    if (!tensor) {
      (allows(options.allowMissing, name) ? report.kept : report.missing).push(name);
    } else if (fits(tensor, parameter)) {
      report.loaded.push(name);
      assignments.push({ name, parameter, values: () => toFloat32(tensor) });
    } else if (options.resizePositions && isPositionTensor(name)) {
      report.resized.push(name);
      assignments.push({ name, parameter, values: () => resizePositions(name, tensor, parameter.torchShape) });
    } else {
      const expected = describe({ dtype: 'float32', shape: parameter.torchShape });
      const misfit = { name, expected, received: describe(tensor) };
      const isKept = (options.skipClassHeads && isClassHead(name)) || allows(options.allowMisshaped, name);
      if (isKept) report.kept.push(name);
      (isKept ? report.misfits : report.misshaped).push(misfit);
    }
  }
  for (const name of tensors.keys()) {
    if (!state.has(name)) (allows(options.allowUnexpected, name) ? report.ignored : report.unexpected).push(name);
  }
  return { report, assignments };
}

/** `search` rather than `test`, which remembers a position where the pattern is global. */
const allows = (test: NameTest | undefined, name: string): boolean =>
  test !== undefined && (typeof test === 'function' ? test(name) : name.search(test) >= 0);

const FLOATS: ReadonlySet<string> = new Set(['float32', 'float16', 'bfloat16', 'float64']);

const fits = (tensor: StoredTensor, { torchShape }: Parameter): boolean =>
  FLOATS.has(tensor.dtype) && `${tensor.shape}` === `${torchShape}`;

/** One tensor per shared parameter, under the name the module lists it by. */
function resolveAliases(
  tensors: ReadonlyMap<string, StoredTensor>,
  aliases: ReadonlyMap<string, string>,
): ReadonlyMap<string, StoredTensor> {
  const resolved = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors) {
    const first = aliases.get(name) ?? name;
    const known = resolved.get(first);
    if (known && !isSame(known, tensor)) {
      throw new MisfitError(`${name} differs from ${first}, with which it is shared`);
    }
    resolved.set(first, known ?? tensor);
  }
  return resolved;
}

function isSame(a: StoredTensor, b: StoredTensor): boolean {
  if (a.dtype !== b.dtype || `${a.shape}` !== `${b.shape}`) return false;
  if (a instanceof TorchTensor && b instanceof TorchTensor && a.isSameView(b)) return true;
  return isSameData(a.data, b.data);
}

const SHOWN = 3;
const MAX_SHOWN = 200; // characters of a name that a file gives

function summarize({ missing, unexpected, misshaped }: LoadReport): string {
  const shapes = misshaped.map(({ name, expected, received }) => `${name}: expected ${expected}, received ${received}`);
  return [some(missing, 'missing'), some(unexpected, 'unexpected'), some(shapes, 'mis-shaped')]
    .filter(Boolean)
    .join('; ');
}

function some(items: readonly string[], what: string): string {
  if (items.length === 0) return '';
  const more = items.length > SHOWN ? ', ...' : '';
  const shown = items.slice(0, SHOWN).map((item) => oneLine(item, MAX_SHOWN));
  return `${items.length} ${what} (${shown.join(', ')}${more})`;
}
