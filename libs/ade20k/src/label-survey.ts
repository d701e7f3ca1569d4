/** What the labels of a dataset hold, looked at before a run: labels that mean something else than the settings say train without an error. */
import { BrokenImageError, readImageHeader, type Orientation } from '@pyramidal/images';
import { evenlySpaced, surveyPictures } from '@pyramidal/loading';
import type { SegmentationFolder, SegmentationSplit } from './folder';
import type { SegmentationClass } from './classes';
import { decodeLabels, type LabelCoding, readLabels, readStoredLabels, type StoredLabels } from './label-file';
import { IGNORE, type LabelMap } from './label-map';

/** Labels of a split whose values are counted, and those whose sizes are compared with their images'. */
const COUNTED = 64;
const MEASURED = 1000;

export interface SurveyOptions {
  readonly coding: LabelCoding;
  readonly orientation: Orientation;
  /** Larger images count as broken; unless told, as many pixels are taken as there are. */
  readonly maxPixels?: number | undefined;
  /** Whether broken images and labels are skipped later. */
  readonly onBroken: 'fail' | 'skip';
}

/**
 * Looks at labels of a split: all of a short one, evenly spaced ones of a long one.
 * @returns notes for people, one line each.
 * @throws Error naming the file, for a label that has another size than its image, or a value that is no class; or if no pixel has a class.
 */
export async function surveyLabels(
  { isDefaultClasses, root, classes }: Pick<SegmentationFolder, 'isDefaultClasses' | 'root' | 'classes'>,
  { name, samples, notes }: SegmentationSplit,
  { coding, orientation, maxPixels, onBroken }: SurveyOptions,
): Promise<string[]> {
  const counted = await countLabels(samples.map(({ label }) => label), coding, onBroken); // prettier-ignore
  const whole = counted.labels === samples.length;
  if (whole && pixelsOf(counted) === 0) throw new Error(nothingLabelled(name, coding));
  const pictures = await picturesOf(samples, onBroken);
  return [
    ...notes,
    ...(counted.labels > 0 ? [describeHistogram(name, counted, samples.length, classes)] : []),
    ...remarks({ name, root, isDefaultClasses }, counted, coding),
    ...(await surveyPictures(pictures, { orientation, maxPixels, onBroken })),
  ];
}

interface Counted {
  /** Pixels by class; those of 255 are unlabelled. */
  readonly pixels: Float64Array;
  /** Stored values in rising order; none where labels are colours. */
  readonly values: readonly number[];
  readonly labels: number;
  readonly palettes: number;
}

async function countLabels(files: readonly string[], coding: LabelCoding, onBroken: 'fail' | 'skip'): Promise<Counted> {
  const seen = new Set<number>();
  const pixels = new Float64Array(256);
  let [labels, palettes] = [0, 0];
  for (const file of evenlySpaced(files, COUNTED)) {
    const read = await unlessSkipped(readBoth(file, coding), onBroken);
    if (read === undefined) continue;
    for (const value of read.stored?.data ?? []) seen.add(value);
    for (const label of read.map.data) pixels[label]!++;
    labels++;
    if (read.stored?.isPalette) palettes++;
  }
  return { pixels, values: [...seen].sort((a, b) => a - b), labels, palettes };
}

/** A label as it is stored, and as classes. */
async function readBoth(file: string, coding: LabelCoding): Promise<{ stored?: StoredLabels; map: LabelMap }> {
  if (coding.colours !== undefined) return { map: await readLabels(file, coding) };
  const stored = await readStoredLabels(file);
  return { stored, map: decodeLabels(stored, coding, file) };
}

const pixelsOf = ({ pixels }: Counted): number => pixels.subarray(0, IGNORE).reduce((sum, count) => sum + count, 0);

function nothingLabelled(name: string, { reduceZeroLabel, colours }: LabelCoding): string {
  const unlabelled =
    colours !== undefined
      ? 'the colour of unlabelled'
      : reduceZeroLabel
        ? '0 or 255, which are unlabelled (data.reduceZeroLabel: true)'
        : '255, which is unlabelled';
  return `${name}: expected labels with a class, received pixels of ${unlabelled} alone`;
}

/** Classes that are named one by one: the largest, and those that are never seen. */
const NAMED = 8;

/** What trains, such as `training: 2 labels hold 2 of 3 classes: sky 60.0%, road 30.0%; 10.0% unlabelled; never: tree`. */
function describeHistogram(
  name: string,
  counted: Counted,
  all: number,
  classes: readonly Pick<SegmentationClass, 'name'>[],
): string {
  const { pixels, labels } = counted;
  const total = pixelsOf(counted) + pixels[IGNORE]!;
  const share = (count: number): string => `${((100 * count) / total).toFixed(1)}%`;
  const counts = classes.map(({ name: label }, i) => ({ label, count: pixels[i]! }));
  const found = counts.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  const never = counts.filter(({ count }) => count === 0).map(({ label }) => label);
  const largest = found.map(({ label, count }) => `${label} ${share(count)}`);
  const looked = labels === all ? `${all} labels` : `${labels} of ${all} labels, the ones looked at,`;
  return (
    `${name}: ${looked} hold ${found.length} of ${classes.length} classes: ${shorten(largest)}; ` +
    `${share(pixels[IGNORE]!)} unlabelled${never.length > 0 ? `; never: ${shorten(never)}` : ''}`
  );
}

const shorten = (names: readonly string[]): string =>
  names.length <= NAMED ? names.join(', ') : `${names.slice(0, NAMED).join(', ')} and ${names.length - NAMED} more`;

function remarks(
  { name, root, isDefaultClasses }: { name: string; root: string; isDefaultClasses: boolean },
  { values, labels, palettes }: Counted,
  { classes, reduceZeroLabel, colours }: LabelCoding,
): string[] {
  const found = values.filter((value) => value !== IGNORE);
  const largest = found.at(-1) ?? 0;
  const notes: string[] = [];
  if (palettes > 0)
    notes.push(`${name}: ${palettes} of ${labels} labels have a palette; its indices are read, not its colours`);
  if (colours !== undefined || labels === 0) return notes;
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
export async function unlessSkipped<T>(reading: Promise<T>, onBroken: 'fail' | 'skip'): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (onBroken === 'skip' && error instanceof BrokenImageError) return undefined;
    throw error;
  }
}
