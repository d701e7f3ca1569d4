/** `data`, whatever the task: what a data set holds, told before anything is trained. */
import { relative } from 'node:path';
import { oneLine } from '@pyramidal/files';
import type { Size } from '@pyramidal/images';
import type { CheckedImages } from './check-images';
import { findDuplicates } from './find-duplicates';

/** One side of a data set: the images to learn from, or those to measure on. */
export interface ReportedSplit {
  readonly name: string;
  readonly files: readonly string[];
  readonly checked: CheckedImages;
  /** Whether broken images are skipped; otherwise they end a training. */
  readonly skipsBroken: boolean;
  /** What the task counts, such as `objects`, and how many: one line each. */
  readonly lines: readonly (readonly [what: string, count: string])[];
  /** How much there is of each class, by label. */
  readonly counts: readonly number[];
}

export interface DataReport {
  /** Folder that files are named from. */
  readonly root: string;
  readonly classes: readonly string[];
  /** What `counts` counts, such as `pixels`. */
  readonly unit: string;
  readonly splits: readonly ReportedSplit[];
  /** What training says before its first step. */
  readonly notes: readonly string[];
}

/** A configuration whose data set is opened though images of it are broken: the report lists them all. */
export const passingBroken = <C extends { readonly data: { readonly onBroken: 'fail' | 'skip' } }>(config: C): C => ({
  ...config,
  data: { ...config.data, onBroken: 'skip' },
});

/** A report in lines, and whether a training would end over what it tells. */
export async function describeData(report: DataReport): Promise<{ lines: string[]; isSound: boolean }> {
  const { splits, notes } = report;
  const isSound = splits.every(({ checked, skipsBroken }) => skipsBroken || checked.broken.size === 0);
  const lines = [
    ...splits.flatMap((split) => [...describeSplit(split, report.root), '']),
    ...classTable(report),
    ...(notes.length === 0 ? [] : ['', 'notes', ...notes.map((note) => `  ${note}`)]),
    ...(await describeDuplicates(report)),
    '',
    isSound
      ? 'a training takes this data set'
      : 'a training would end at a broken image; data.onBroken: skip passes over them',
  ];
  return { lines: lines.map((line) => oneLine(line)), isSound };
}

function describeSplit({ name, files, checked, lines, skipsBroken }: ReportedSplit, root: string): string[] {
  const { sizes, broken } = checked;
  const rows = [...lines, ...describeSizes(sizes)].map(([what, count]) => `  ${what.padEnd(14)} ${count}`);
  const faults = [...broken].slice(0, SHOWN).map(([file, reason]) => `    ${relative(root, file)}: ${reason}`);
  const more = broken.size > SHOWN ? [`    and ${broken.size - SHOWN} more`] : [];
  const outcome = skipsBroken ? 'skipped' : 'which end a training';
  const title = broken.size === 0 ? [] : [`  ${'broken'.padEnd(14)} ${broken.size} images, ${outcome}`];
  return [`${name}: ${files.length} images`, ...rows, ...title, ...faults, ...more];
}

const SHOWN = 10;

/** Upper bounds of the longer sides that are told apart. */
const SIDES = [128, 256, 512, 1024, 2048, 4096];

function describeSizes(sizes: readonly Size[]): [what: string, count: string][] {
  if (sizes.length === 0) return [];
  const longer = sizes.map(({ width, height }) => Math.max(width, height));
  const bins = [...SIDES, Infinity].map((bound, i) => {
    const from = SIDES[i - 1] ?? 0;
    const count = longer.filter((side) => side > from && side <= bound).length;
    return { label: bound === Infinity ? `above ${from}` : `to ${bound}`, count };
  });
  const tall = sizes.filter(({ width, height }) => height > width).length;
  const told = bins.filter(({ count }) => count > 0).map(({ label, count }) => `${label}: ${count}`);
  return [
    ['longer sides', told.join(', ')],
    ['orientation', `${sizes.length - tall} wide or square, ${tall} tall`],
  ];
}

/** Characters of a class's name in the table. */
const LONGEST_NAME = 60;

/** A row a class, with a column a split; classes without anything to learn from are named below. */
function classTable({ classes: named, splits, unit }: DataReport): string[] {
  const classes = named.map((name) => oneLine(name, LONGEST_NAME));
  const width = Math.max(...classes.map((name) => name.length), 'class'.length);
  const row = (name: string, cells: readonly string[]): string =>
    `  ${name.padEnd(width)}${cells.map((cell) => cell.padStart(12)).join('')}`;
  const body = classes.map((name, label) => row(name, splits.map(({ counts }) => `${counts[label] ?? 0}`))); // prettier-ignore
  const unseen = classes.filter((_, label) => splits[0]?.counts[label] === 0);
  const names = unseen.length > SHOWN ? [...unseen.slice(0, SHOWN), `and ${unseen.length - SHOWN} more`] : unseen;
  return [
    `${unit} of each class`,
    row(
      'class',
      splits.map(({ name }) => name),
    ),
    ...body,
    ...(unseen.length === 0 ? [] : [`  never learned: ${names.join(', ')}`]),
  ];
}

async function describeDuplicates({ splits, root }: DataReport): Promise<string[]> {
  const found = await findDuplicates(splits.map(({ name, files, checked }) => {
    return { name, files: files.filter((file) => !checked.broken.has(file)) };
  })); // prettier-ignore
  if (found.length === 0) return [];
  const between = found.filter(({ first, second }) => first.list !== second.list);
  const told = (list: typeof found): string[] => [
    ...list
      .slice(0, SHOWN)
      .map(({ first, second }) => `  ${relative(root, second.file)} is ${relative(root, first.file)}`),
    ...(list.length > SHOWN ? [`  and ${list.length - SHOWN} more`] : []),
  ];
  const within = found.filter((duplicate) => !between.includes(duplicate));
  return [
    ...(between.length === 0
      ? []
      : ['', `${between.length} images are learned from and measured on`, ...told(between)]),
    ...(within.length === 0 ? [] : ['', `${within.length} images are twice in their split`, ...told(within)]),
  ];
}
