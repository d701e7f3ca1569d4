/** `pyramidal-classify data`. */
import type { ImageSplit } from '@pyramidal/imagenet';
import { openConfig } from '@pyramidal/inference';
import { checkImages, type DataCommand, describeData, passingBroken, type ReportedSplit } from '@pyramidal/task';
import { decodingOf } from '../assemble';
import type { ClassificationConfig } from '../config';
import { openData } from '../data-folder';
import type { ClassificationDefinition } from '../definition';

/** Opens a data set as training does, decodes every image, and prints what is in it; 1 where a training would end over it. */
export async function data({ schema }: ClassificationDefinition, command: DataCommand): Promise<number> {
  const { config } = openConfig(schema, command);
  const { classes, training, validation, notes } = await openData(passingBroken(config));
  const splits = [await reportSplit('training', training, config)];
  if (validation !== undefined) splits.push(await reportSplit('validation', validation, config));
  const names = classes.map(({ name }) => name);
  const { lines, isSound } = await describeData({ root: config.data.root, classes: names, unit: 'images', splits, notes }); // prettier-ignore
  console.log(lines.join('\n'));
  return isSound ? 0 : 1;
}

async function reportSplit(
  name: string,
  { samples, counts }: ImageSplit,
  config: ClassificationConfig,
): Promise<ReportedSplit> {
  const checked = await checkImages(samples, { fileOf: ({ file }) => file, decode: decodingOf(config) });
  const files = samples.map(({ file }) => file);
  return { name, files, checked, skipsBroken: config.data.onBroken === 'skip', lines: [], counts };
}
