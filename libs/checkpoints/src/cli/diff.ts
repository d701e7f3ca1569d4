/** `pyramidal-weights diff`: how two weights files differ. */
import { openCheckpoint } from '../checkpoint';
import { describe, isSameData, type StoredTensor } from '../dtype';
import { toFloat64 } from '../numbers';
import { shorten } from './table';

type Tensors = ReadonlyMap<string, StoredTensor>;

/** Prints how two weights files differ. @returns whether they hold the same names, dtypes, shapes and bits. */
export function diff(pathA: string, pathB: string, print: (line: string) => void): boolean {
  const a = openCheckpoint(pathA);
  try {
    const b = openCheckpoint(pathB);
    try {
      return printDifferences(a.tensors, b.tensors, print);
    } finally {
      b.close();
    }
  } finally {
    a.close();
  }
}

function printDifferences(a: Tensors, b: Tensors, print: (line: string) => void): boolean {
  const lines = [
    ...[...a.keys()].filter((name) => !b.has(name)).map((name) => `- ${shorten(name)} ${describe(a.get(name)!)}`),
    ...[...b.keys()].filter((name) => !a.has(name)).map((name) => `+ ${shorten(name)} ${describe(b.get(name)!)}`),
  ];
  let same = 0;
  for (const [name, tensor] of a) {
    const other = b.get(name);
    const difference = other && compare(tensor, other);
    if (difference) lines.push(`~ ${shorten(name)} ${difference}`);
    else if (other) same++;
  }
  for (const line of lines) print(line);
  print(`${same} tensors are the same, ${lines.length} differ`);
  return lines.length === 0;
}

/** What differs between two tensors; `undefined` if nothing does. */
function compare(a: StoredTensor, b: StoredTensor): string | undefined {
  if (`${a.shape}` !== `${b.shape}`) return `${describe(a)} -> ${describe(b)}`;
  const kind = a.dtype === b.dtype ? describe(a) : `${describe(a)} -> ${describe(b)}`;
  const [dataA, dataB] = [a.data, b.data];
  if (a.dtype === b.dtype && isSameData(dataA, dataB)) return undefined;
  const valuesA = toFloat64({ dtype: a.dtype, data: dataA });
  const valuesB = toFloat64({ dtype: b.dtype, data: dataB });
  let [count, largest, scale] = [0, 0, 0];
  for (let i = 0; i < valuesA.length; i++) {
    const difference = Math.abs(valuesA[i]! - valuesB[i]!);
    if (!Object.is(valuesA[i], valuesB[i])) count++;
    if (difference > largest || Number.isNaN(difference)) largest = difference;
    scale = Math.max(scale, Math.abs(valuesA[i]!));
  }
  return `${kind}: ${count} of ${valuesA.length} elements, by up to ${largest.toPrecision(3)} (largest value ${scale.toPrecision(3)})`;
}
