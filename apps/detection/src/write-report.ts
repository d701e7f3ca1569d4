/** `report.html`: an evaluation that people can look at. */
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { mask, type CocoResult, type Rle } from '@cocoeval/ts';
import type { Corners, DetectionDataset, DetectionSample } from '@pyramidal/coco';
import { writeFileAtomically } from '@pyramidal/files';
import { type DecodeOptions, decodePicture, keepRatioSize, resizeImage, type RgbImage } from '@pyramidal/images';
import { detectionReport, type DrawImage } from '@pyramidal/report';
import { type Drawable, drawDetections } from './draw-detections';
import type { DetectionMetrics } from './evaluate-detector';

/** The longer side of the pictures in the page. */
const SIDE = 320;

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
      const found = await foundIn(folder, dataset, new Set(ids), minScore);
      return pictureDrawer(dataset, found, decode);
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
    const picture = await readSmall(sample, decode);
    const draw = async (name: string, objects: readonly Drawable[]) => {
      const own = { ...picture, data: picture.data.slice() };
      return { name, image: await drawDetections(own, { ...sample, objects }, classes) };
    };
    return [await draw('annotated', annotated(sample)), await draw('found', found.get(imageId) ?? [])];
  };
}

/** The objects of some images in the results files, which have a record a line: a mask's at the place of its box's. */
async function foundIn(
  folder: string,
  { classes }: DetectionDataset,
  imageIds: ReadonlySet<number>,
  minScore: number,
): Promise<Map<number, Drawable[]>> {
  const labels = new Map(classes.map(({ categoryId }, label) => [categoryId, label]));
  const isShown = ({ image_id, score }: CocoResult): boolean => imageIds.has(image_id) && score >= minScore;
  const masks = (await recordsOf(join(folder, 'segm.json'), isShown)).map(({ segmentation }) => segmentation as Rle);
  const found = new Map<number, Drawable[]>();
  (await recordsOf(join(folder, 'bbox.json'), isShown)).forEach(({ image_id, category_id, score, bbox }, i) => {
    const object = { label: labels.get(category_id)!, score, box: corners(bbox!), ...(masks[i] && { mask: masks[i] }) };
    found.set(image_id, [...(found.get(image_id) ?? []), object]);
  });
  return found;
}

async function recordsOf(file: string, isWanted: (record: CocoResult) => boolean): Promise<CocoResult[]> {
  const records: CocoResult[] = [];
  if (!existsSync(file)) return records;
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

async function readSmall({ file }: DetectionSample, decode: DecodeOptions): Promise<RgbImage> {
  const picture = await decodePicture(file, decode);
  const size = keepRatioSize(picture, { shortest: SIDE, longest: SIDE });
  return resizeImage(picture, { ...size, convention: 'opencv-bilinear' });
}
