/** `report.html`: an evaluation that people can look at. */
import { createReadStream, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { mask, type CocoResult, type Rle } from '@cocoeval/ts';
import type { Corners, DetectionDataset, DetectionSample } from '@pyramidal/coco';
import { writeFileAtomically } from '@pyramidal/files';
import type { DecodeOptions } from '@pyramidal/images';
import { drawableClasses } from '@pyramidal/pictures';
import { detectionReport, type DrawImage, readSmallPicture } from '@pyramidal/report';
import { type Drawable, drawDetections } from './draw-detections';
import type { DetectionMetrics } from './evaluate-detector';

export interface ReportOptions {
  /** Where the results files are. */
  readonly folder: string;
  readonly dataset: DetectionDataset;
  readonly metrics: DetectionMetrics;
  readonly decode: DecodeOptions;
}

/** Writes the page, with the annotated and the found objects of the images that tell most. */
export async function writeReport({ folder, dataset, metrics, decode }: ReportOptions): Promise<void> {
  const { coco, samples, classes } = dataset;
  const page = await detectionReport({
    title: `Evaluation of ${basename(dirname(folder))}`,
    subtitle: `${samples.length} images, ${classes.length} classes`,
    coco,
    imageIds: samples.map(({ id }) => id),
    reports: { boxes: metrics.box, ...(metrics.mask && { masks: metrics.mask }) },
    results: readFileSync(join(folder, 'bbox.json'), 'utf8'),
    openPictures: async (ids, minScore) => {
      const wanted = new Set(ids);
      // Masks of an earlier evaluation may lie in the folder too.
      const files = { boxes: join(folder, 'bbox.json'), ...(metrics.mask && { masks: join(folder, 'segm.json') }) };
      const found = await foundIn(files, dataset, (result) => wanted.has(result.image_id) && result.score >= minScore);
      const drawable = await drawableClasses(classes, console.error);
      return pictureDrawer({ ...dataset, classes: drawable }, found, decode);
    },
  });
  writeFileAtomically(join(folder, 'report.html'), page);
}

function pictureDrawer(
  { samples, classes }: DetectionDataset,
  found: ReadonlyMap<number, readonly Drawable[]>,
  decode: DecodeOptions,
): DrawImage {
  const byId = new Map(samples.map((sample) => [sample.id, sample]));
  return async (imageId) => {
    const sample = byId.get(imageId)!;
    const picture = await readSmallPicture(sample.file, decode);
    const draw = async (name: string, objects: readonly Drawable[]) => {
      const own = { ...picture, data: picture.data.slice() };
      return { name, image: await drawDetections(own, { ...sample, objects }, classes) };
    };
    return [await draw('annotated', annotated(sample)), await draw('found', found.get(imageId) ?? [])];
  };
}

/** The results files of an evaluation, which have a record a line: a mask's at the place of its box's. */
interface ResultsFiles {
  readonly boxes: string;
  readonly masks?: string;
}

/** The wanted objects by image. */
async function foundIn(
  files: ResultsFiles,
  { classes }: DetectionDataset,
  isWanted: (result: CocoResult) => boolean,
): Promise<Map<number, Drawable[]>> {
  const labels = new Map(classes.map(({ categoryId }, label) => [categoryId, label]));
  const masks = files.masks === undefined ? [] : await recordsOf(files.masks, isWanted);
  const found = new Map<number, Drawable[]>();
  (await recordsOf(files.boxes, isWanted)).forEach(({ image_id, category_id, score, bbox }, i) => {
    const segmentation = masks[i]?.segmentation as Rle | undefined;
    const object = {
      label: labels.get(category_id)!,
      score,
      box: corners(bbox!),
      ...(segmentation && { mask: segmentation }),
    };
    const others = found.get(image_id);
    if (others === undefined) found.set(image_id, [object]);
    else others.push(object);
  });
  return found;
}

async function recordsOf(file: string, isWanted: (record: CocoResult) => boolean): Promise<CocoResult[]> {
  const records: CocoResult[] = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (!line.startsWith('{')) continue;
    const record = JSON.parse(line.replace(/,$/, '')) as CocoResult;
    if (isWanted(record)) records.push(record);
  }
  return records;
}

function corners([x = 0, y = 0, width = 0, height = 0]: readonly number[]): Corners {
  return [x, y, x + width, y + height];
}

function annotated({ objects, width, height }: DetectionSample): Drawable[] {
  return objects.map(({ label, box, segmentation }) => ({
    label,
    box,
    ...(segmentation && { mask: mask.fromSegmentation(segmentation, height, width) }),
  }));
}
