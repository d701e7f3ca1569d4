/** How many pixels each class has in the labels of a split. */
import { evenlySpaced } from '@pyramidal/loading';
import type { SegmentationSplit } from './folder';
import { type LabelCoding, readLabels } from './label-file';
import { unlessSkipped } from './label-survey';

/** Labels that are counted: of more, evenly spaced ones tell the shares well enough. */
const COUNTED = 1000;

/**
 * Pixels of each class, by label, in the labels of a split: all of up to a thousand, else a thousand evenly spaced ones.
 * @throws Error naming the file of a label with a value that is no class; BrokenImageError for a damaged one, unless such are skipped.
 */
export async function countPixels(
  { samples }: SegmentationSplit,
  coding: LabelCoding,
  onBroken: 'fail' | 'skip',
): Promise<number[]> {
  const counts = new Array<number>(256).fill(0);
  for (const { label } of evenlySpaced(samples, COUNTED)) {
    const labels = await unlessSkipped(readLabels(label, coding), onBroken);
    for (const value of labels?.data ?? []) counts[value]!++;
  }
  return counts.slice(0, coding.classes);
}
