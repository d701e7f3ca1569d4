/** `pyramidal-detect inspect`. */
import { basename, dirname, join, resolve } from 'node:path';
import type { CocoResult } from '@cocoeval/ts';
import { readResults } from '@cocoeval/ts/node';
import { type DetectionDataset, openDetectionDataset } from '@pyramidal/coco';
import { z } from '@pyramidal/config';
import { readJson } from '@pyramidal/files';
import type { DecodeOptions } from '@pyramidal/images';
import { openConfig } from '@pyramidal/inference';
import { type DetectionRun, type Inspected, inspectDetections, inspectUntilStopped } from '@pyramidal/inspector';
import type { InspectCommand, InspectedFiles } from '@pyramidal/task';
import { decodingOf } from '../assemble';
import { openValidation } from '../data';
import type { DetectionDefinition } from '../definition';
import { modelClasses } from '../model-classes';

/** Serves a page that shows a data set, and what one run or two found in it. */
export async function inspect(definition: DetectionDefinition, command: InspectCommand): Promise<number> {
  console.error('comparing what was found with what is annotated ...');
  return inspectUntilStopped(await openInspected(definition, command), { port: command.port });
}

/** @throws Error in one line for what is not there, or does not belong together. */
export async function openInspected(definition: DetectionDefinition, command: InspectCommand): Promise<Inspected> {
  const { title, dataset, decode, runs } = await open(definition, command);
  const { coco, samples, classes } = dataset;
  const colours = modelClasses(classes);
  return inspectDetections({
    title,
    coco,
    images: samples,
    classes: classes.map((one, label) => ({ ...one, colour: colours[label]!.colour! })),
    runs,
    decode,
  });
}

/** What is looked at. */
interface Opened {
  readonly title: string;
  readonly dataset: DetectionDataset;
  readonly decode: DecodeOptions;
  readonly runs: readonly DetectionRun[];
}

async function open({ schema }: DetectionDefinition, { runs, config, files, set }: InspectCommand): Promise<Opened> {
  if (files !== undefined) return openFiles(files);
  const loaded = openConfig(schema, { config: config ?? join(runs[0]!, 'config.yaml'), set });
  const dataset = await openValidation(loaded.config);
  return {
    title: runs.length === 0 ? loaded.config.data.root : runs.map(nameOf).join(' and '),
    dataset,
    decode: decodingOf(loaded.config),
    runs: runs.map((run) => openRun(run, dataset)),
  };
}

async function openFiles({ annotations, images = dirname(annotations), results }: InspectedFiles): Promise<Opened> {
  const dataset = await openDetectionDataset({ annotations, images, evaluated: true });
  const runs = results.map((file) => ({ name: basename(file, '.json'), results: readResults(dataset.coco, file) }));
  return { title: basename(annotations, '.json'), dataset, decode: { orientation: 'exif' }, runs };
}

const nameOf = (run: string): string => basename(resolve(run));

/** What of `metrics.json` is read: whether masks were found. */
const metricsSchema = z.looseObject({ images: z.int(), mask: z.unknown().optional() });

/** What `eval` left in a run. @throws Error if it did not, or evaluated something else. */
function openRun(run: string, { coco, samples }: DetectionDataset): DetectionRun {
  const folder = join(run, 'eval');
  const metrics = readJson(join(folder, 'metrics.json'), metricsSchema);
  if (metrics.images !== samples.length) {
    throw new Error(
      `${folder}: expected an evaluation of ${samples.length} images, the data set's, received one of ${metrics.images}`,
    );
  }
  const results = readResults(coco, join(folder, 'bbox.json'));
  if (metrics.mask === undefined) return { name: nameOf(run), results };
  return { name: nameOf(run), results, masks: masksOf(join(folder, 'segm.json'), results.results!, coco) };
}

/** Of the same detections in the same order. */
function masksOf(file: string, boxes: readonly CocoResult[], coco: DetectionDataset['coco']): readonly CocoResult[] {
  const masks = readResults(coco, file).results!;
  const differs = boxes.findIndex(
    ({ image_id, score }, i) => masks[i]?.image_id !== image_id || masks[i].score !== score,
  );
  if (differs < 0 && masks.length === boxes.length) return masks;
  throw new Error(
    `${file}: expected a mask for each of ${boxes.length} boxes, received others from entry ${differs} on`,
  );
}
