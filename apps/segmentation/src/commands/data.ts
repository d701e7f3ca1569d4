/** `pyramidal-segment data`. */
import { readLabels, type SegmentationSplit } from '@pyramidal/ade20k';
import { openConfig } from '@pyramidal/inference';
import { requireSize } from '@pyramidal/loading';
import { checkImages, type DataCommand, describeData, passingBroken, type ReportedSplit } from '@pyramidal/task';
import { codingOf, decodingOf } from '../assemble';
import type { SegmentationConfig } from '../config';
import { openData } from '../data-folder';
import type { SegmentationDefinition } from '../definition';
import { drawAugmented } from '../draw-augmented';

/** Opens a data set as training does, decodes every image and its labels, and prints what is in it; 1 where a training would end over it. */
export async function data({ schema }: SegmentationDefinition, command: DataCommand): Promise<number> {
  const { config } = openConfig(schema, command);
  const { classes, training, validation, notes } = await openData(passingBroken(config), 'skip');
  const { root, onBroken } = config.data;
  const splits = [await reportSplit('training', training, classes.length, config, onBroken === 'skip')];
  if (validation !== undefined) splits.push(await reportSplit('validation', validation, classes.length, config, false));
  const names = classes.map(({ name }) => name);
  const { lines, isSound } = await describeData({ root, classes: names, unit: 'pixels', splits, notes });
  console.log(lines.join('\n'));
  if (command.augmented !== undefined) await drawAugmented({ training, classes }, config, command.augmented);
  return isSound ? 0 : 1;
}

async function reportSplit(
  name: string,
  { samples }: SegmentationSplit,
  classes: number,
  config: SegmentationConfig,
  skipsBroken: boolean,
): Promise<ReportedSplit> {
  const coding = codingOf(config, classes);
  const pixels = new Array<number>(256).fill(0);
  const checked = await checkImages(samples, {
    fileOf: ({ image }) => image,
    decode: decodingOf(config),
    extra: async ({ image, label }, size) => {
      const labels = await readLabels(label, coding);
      await requireSize(
        size,
        { file: image, label, width: labels.width, height: labels.height },
        config.data.orientation,
      );
      for (const value of labels.data) pixels[value]!++;
    },
  });
  const counts = pixels.slice(0, classes);
  const labelled = counts.reduce((sum, count) => sum + count, 0);
  const share = (100 * labelled) / (labelled + pixels[255]!);
  const files = samples.map(({ image }) => image);
  return { name, files, checked, skipsBroken, lines: [['labelled', `${share.toFixed(1)} % of the pixels`]], counts };
}
