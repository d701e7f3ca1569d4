/** What the labels of a dataset hold, looked at before a run: labels that mean something else than the settings say train without an error. */
import { BrokenImageError, evenlySpaced, readImageHeader, surveySizes, type Orientation } from '@pyramidal/images';
import type { SegmentationFolder, SegmentationSplit } from './folder';
import { decodeLabels, type LabelCoding, readStoredLabels } from './label-file';
import { IGNORE } from './label-map';

/** Labels of a split whose values are counted, and those whose sizes are compared with their images'. */
const COUNTED = 64;
const MEASURED = 1000;

export interface SurveyOptions {
  readonly coding: LabelCoding;
  readonly orientation: Orientation;
  /** Whether broken images and labels are skipped later. */
  readonly onBroken: 'fail' | 'skip';
}

/**
 * Looks at labels of a split: all of a short one, evenly spaced ones of a long one.
 * @returns notes for people, one line each.
 * @throws Error naming the file, for a label that has another size than its image, or a value that is no class; or if no pixel has a class.
 */
export async function surveyLabels(
  { isDefaultClasses, root }: Pick<SegmentationFolder, 'isDefaultClasses' | 'root'>,
  { name, samples, notes }: SegmentationSplit,
  { coding, orientation, onBroken }: SurveyOptions,
): Promise<string[]> {
  const counted = await countValues(samples.map(({ label }) => label), coding, onBroken); // prettier-ignore
  const whole = counted.labels === samples.length;
  if (whole && classValues(counted.values, coding).length === 0) throw new Error(nothingLabelled(name, coding));
  const pictures = await picturesOf(samples, onBroken);
  return [
    ...notes,
    ...remarks({ name, root, isDefaultClasses }, counted, coding),
    ...(await surveySizes(pictures, { orientation, onBroken })),
  ];
}

interface Counted {
  /** Stored values in rising order. */
  readonly values: readonly number[];
  readonly labels: number;
  readonly palettes: number;
}

async function countValues(files: readonly string[], coding: LabelCoding, onBroken: 'fail' | 'skip'): Promise<Counted> {
  const seen = new Set<number>();
  let [labels, palettes] = [0, 0];
  for (const file of evenlySpaced(files, COUNTED)) {
    const stored = await unlessSkipped(readStoredLabels(file), onBroken);
    if (stored === undefined) continue;
    for (const value of stored.data) seen.add(value);
    decodeLabels(stored, coding, file);
    labels++;
    if (stored.isPalette) palettes++;
  }
  return { values: [...seen].sort((a, b) => a - b), labels, palettes };
}

const classValues = (values: readonly number[], { reduceZeroLabel }: LabelCoding): readonly number[] =>
  values.filter((value) => value !== IGNORE && !(reduceZeroLabel && value === 0));

function nothingLabelled(name: string, { reduceZeroLabel }: LabelCoding): string {
  const unlabelled = reduceZeroLabel
    ? '0 or 255, which are unlabelled (data.reduceZeroLabel: true)'
    : '255, which is unlabelled';
  return `${name}: expected labels with a class, received pixels of ${unlabelled} alone`;
}

function remarks(
  { name, root, isDefaultClasses }: { name: string; root: string; isDefaultClasses: boolean },
  { values, labels, palettes }: Counted,
  { classes, reduceZeroLabel }: LabelCoding,
): string[] {
  const found = values.filter((value) => value !== IGNORE);
  const largest = found.at(-1) ?? 0;
  const notes: string[] = [];
  if (palettes > 0)
    notes.push(`${name}: ${palettes} of ${labels} labels have a palette; its indices are read, not its colours`);
  if (isDefaultClasses && largest < classes / 2) {
    notes.push(
      `${name}: labels hold values up to ${largest}, and without ${root}/classes.json the ${classes} classes of ADE20K are learned; ` +
        'list your own classes there, or set data.classList',
    );
  } else if (reduceZeroLabel && found[0] === 0 && largest === classes - 1) {
    notes.push(
      `${name}: labels hold values 0 to ${largest} for ${classes} classes, and 0 counts as unlabelled; ` +
        'if 0 is the first class, set data.reduceZeroLabel: false',
    );
  }
  return notes;
}

async function picturesOf(samples: SegmentationSplit['samples'], onBroken: 'fail' | 'skip') {
  const pictures = [];
  for (const { image, label } of evenlySpaced(samples, MEASURED)) {
    const header = await unlessSkipped(readImageHeader(label), onBroken);
    if (header !== undefined) pictures.push({ file: image, label, width: header.width, height: header.height });
  }
  return pictures;
}

/** Nothing in place of what will be skipped. */
async function unlessSkipped<T>(reading: Promise<T>, onBroken: 'fail' | 'skip'): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (onBroken === 'skip' && error instanceof BrokenImageError) return undefined;
    throw error;
  }
}
