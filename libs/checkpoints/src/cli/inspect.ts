/** `pyramidal-weights inspect`: what a weights file holds. */
import { openCheckpoint } from '../checkpoint';
import { byteLength, elementCount, type StoredTensor } from '../dtype';
import { modelKind } from '../names';
import { statistics, type Statistics } from '../numbers';
import { PickleObject, typeName } from '../pickle-values';
import { factLines } from './fact-lines';
import { alignColumns, shorten } from './table';

interface InspectOptions {
  readonly entry?: string;
  readonly json?: boolean;
}

interface Row extends Statistics {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** Prints what a weights file holds; every tensor is read, so damage shows. */
export function inspect(path: string, options: InspectOptions, print: (line: string) => void): void {
  const file = openCheckpoint(path, options);
  try {
    const rows = Array.from(file.tensors, ([name, tensor]) => describeTensor(name, tensor));
    const tensors = [...file.tensors.values()];
    const summary = {
      format: file.format,
      entry: file.entry,
      names: modelKind(file.tensors.keys()),
      tensors: rows.length,
      elements: tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0),
      bytes: tensors.reduce((sum, tensor) => sum + byteLength(tensor), 0),
      metadata: file.metadata,
      others: Object.fromEntries([...file.others].map(([name, value]) => [name, sketch(value)])),
    };
    if (options.json) print(JSON.stringify({ ...summary, tensors: rows }));
    else printText(summary, rows, print);
  } finally {
    file.close();
  }
}

const describeTensor = (name: string, tensor: StoredTensor): Row => ({
  name,
  dtype: tensor.dtype,
  shape: tensor.shape,
  ...statistics(tensor),
});

interface Summary {
  readonly format: string;
  readonly entry: string;
  readonly names: string;
  readonly tensors: number;
  readonly elements: number;
  readonly bytes: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly others: Readonly<Record<string, string>>;
}

/** Entries besides tensors that are printed; `--json` gives all. */
const MAX_FACTS = 100;

function printText(summary: Summary, rows: readonly Row[], print: (line: string) => void): void {
  const entry = summary.entry && `, entry ${summary.entry}`;
  print(`${summary.format}${entry}: names of a ${summary.names}`);
  print(`${summary.tensors} tensors, ${summary.elements} elements, ${summary.bytes} bytes`);
  const facts = Object.entries({ ...summary.metadata, ...summary.others });
  for (const [name, value] of facts.slice(0, MAX_FACTS)) for (const line of factLines(name, value)) print(`  ${line}`);
  if (facts.length > MAX_FACTS) print(`  and ${facts.length - MAX_FACTS} more`);
  const header = ['name', 'dtype', 'shape', 'min', 'max', 'mean', 'std', 'not finite'];
  const cells = rows.map(({ name, dtype, shape, notFinite, ...numbers }) => [
    shorten(name),
    dtype,
    `[${shape.join(', ')}]`,
    ...[numbers.min, numbers.max, numbers.mean, numbers.std].map(formatNumber),
    notFinite > 0 ? String(notFinite) : '',
  ]);
  for (const line of alignColumns([header, ...cells])) print(line);
}

/** Four digits; nothing for an empty tensor. */
function formatNumber(value: number): string {
  if (Number.isNaN(value)) return '';
  return value === 0 ? '0' : value.toPrecision(4);
}

/** A value of a checkpoint in a few words. */
function sketch(value: unknown): string {
  if (value instanceof Map) return `a dict of ${value.size}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof PickleObject) return typeName(value);
  return value !== null && typeof value === 'object' ? typeName(value) : String(value);
}
