/** `pyramidal-segment inspect`. */
import { basename, join, resolve } from 'node:path';
import { readLabels } from '@pyramidal/ade20k';
import { openConfig } from '@pyramidal/inference';
import { type Inspected, inspectSegmentation, inspectUntilStopped } from '@pyramidal/inspector';
import { countProgress, type InspectCommand } from '@pyramidal/task';
import { codingOf, decodingOf } from '../assemble';
import { openValidation } from '../data-folder';
import type { SegmentationDefinition } from '../definition';

/** Serves a page that shows a data set, and the maps that `eval` of one run or two left. */
export async function inspect(definition: SegmentationDefinition, command: InspectCommand): Promise<number> {
  return inspectUntilStopped(await openInspected(definition, command), { port: command.port });
}

/** @throws Error in one line for what is not there, or does not belong together. */
export async function openInspected(
  { schema }: SegmentationDefinition,
  { runs, set, ...command }: InspectCommand,
): Promise<Inspected> {
  const { config } = openConfig(schema, { config: command.config ?? join(runs[0]!, 'config.yaml'), set });
  const { classes, validation } = await openValidation(config);
  const { samples } = validation;
  const coding = codingOf(config, classes.length);
  const progress = countProgress(samples.length, 'images');
  try {
    return await inspectSegmentation({
      title: runs.length === 0 ? config.data.root : runs.map(nameOf).join(' and '),
      images: samples.map(({ name, image }) => ({ name, file: image })),
      readLabels: (image) => readLabels(samples[image]!.label, coding),
      classes,
      runs: runs.map((run) => ({
        name: nameOf(run),
        readMap: (image) => readLabels(join(run, 'eval/labels', `${samples[image]!.name}.png`), coding),
      })),
      decode: decodingOf(config),
      onImage: () => progress.add(),
    });
  } finally {
    progress.stop();
  }
}

const nameOf = (run: string): string => basename(resolve(run));
