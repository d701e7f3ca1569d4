/** `pyramidal-detect data`. */
import type { DetectionClass, DetectionSample } from '@pyramidal/coco';
import { openConfig } from '@pyramidal/inference';
import { requireSize } from '@pyramidal/loading';
import { checkImages, type DataCommand, describeData, passingBroken, type ReportedSplit } from '@pyramidal/task';
import { decodingOf } from '../assemble';
import type { DetectionConfig } from '../config';
import { openData } from '../data';
import { drawAugmented } from '../draw-augmented';
import type { DetectionDefinition } from '../definition';

/** Opens a data set as training does, decodes every image, and prints what is in it; 1 where a training would end over it. */
export async function data({ schema, detectors }: DetectionDefinition, command: DataCommand): Promise<number> {
  const { config } = openConfig(schema, command);
  const { training, validation, notes } = await openData(passingBroken(config), detectors, 'skip');
  const { onBroken } = config.data;
  const splits = [await reportSplit('training', training, config, onBroken === 'skip')];
  if (validation !== undefined) splits.push(await reportSplit('validation', validation, config, false));
  const classes = training.classes.map(({ name }) => name);
  const { lines, isSound } = await describeData({ root: config.data.root, classes, unit: 'objects', splits, notes });
  console.log(lines.join('\n'));
  if (command.augmented !== undefined) await drawAugmented(training, config, command.augmented);
  return isSound ? 0 : 1;
}

interface Split {
  readonly samples: readonly DetectionSample[];
  readonly classes: readonly DetectionClass[];
}

async function reportSplit(
  name: string,
  { samples, classes }: Split,
  config: DetectionConfig,
  skipsBroken: boolean,
): Promise<ReportedSplit> {
  const decode = decodingOf(config);
  const checked = await checkImages(samples, {
    fileOf: ({ file }) => file,
    decode,
    extra: (sample, size) => requireSize(size, sample, config.data.orientation),
  });
  const objects = samples.flatMap((sample) => sample.objects);
  const counts = classes.map(() => 0);
  for (const { label } of objects) counts[label]!++;
  const files = samples.map(({ file }) => file);
  return { name, files, checked, skipsBroken, lines: describeObjects(samples, config), counts };
}

/** Areas, in pixels, from which COCO calls an object medium and large. */
const [MEDIUM, LARGE] = [32 ** 2, 96 ** 2];

function describeObjects(
  samples: readonly DetectionSample[],
  { data: { maxObjects } }: DetectionConfig,
): ReportedSplit['lines'] {
  const objects = samples.flatMap((sample) => sample.objects);
  const areas = objects.map(({ box: [x1, y1, x2, y2] }) => (x2 - x1) * (y2 - y1));
  const between = (from: number, to: number): number => areas.filter((area) => area >= from && area < to).length;
  const masks = objects.filter(({ segmentation }) => segmentation !== undefined).length;
  const crowds = samples.reduce((sum, sample) => sum + sample.crowds.length, 0);
  const most = samples.reduce((largest, sample) => Math.max(largest, sample.objects.length), 0);
  const empty = samples.filter((sample) => sample.objects.length === 0).length;
  const full = samples.filter((sample) => sample.objects.length > maxObjects).length;
  return [
    ['objects', `${objects.length}, up to ${most} an image`],
    ['of area', `small ${between(0, MEDIUM)}, medium ${between(MEDIUM, LARGE)}, large ${between(LARGE, Infinity)}`],
    ['with a mask', `${masks}`],
    ...(crowds === 0 ? [] : [['crowds', `${crowds}`] as const]),
    ...(empty === 0 ? [] : [['no objects', `${empty} images`] as const]),
    ...(full === 0 ? [] : [['too many', `${full} images have more than data.maxObjects ${maxObjects}`] as const]),
  ];
}
