/** A toy data set in COCO's format: pictures of one colour, and the records that a test gives. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blankImage, encodeImage, IMAGENET_NORMALISATION } from '@pyramidal/images';
import { type DetectionDataset, type DetectionDatasetOptions, openDetectionDataset } from '../dataset';
import type { DetectionTransform } from '../prepare';

export type Json = Record<string, unknown>;

export const TRANSFORM: DetectionTransform = {
  scales: [{ shortest: 64, longest: 96 }],
  normalisation: IMAGENET_NORMALISATION,
  maskSide: 14,
  maxObjects: 256,
};

export interface ToyFolder {
  /** Where the pictures and `annotations.json` are. */
  readonly folder: string;
  /** Writes the records, those of one image with one object where nothing else is said, and opens them. */
  open(changes: Json, options?: Partial<DetectionDatasetOptions>): Promise<DetectionDataset>;
  remove(): void;
}

export async function makeToyFolder(): Promise<ToyFolder> {
  const folder = mkdtempSync(join(tmpdir(), 'coco-'));
  for (const [name, width, height] of [
    ['a', 40, 30],
    ['b', 30, 40],
    ['c', 38, 30],
    ['thin', 8000, 20],
    ['dot', 1, 1],
  ] as const) {
    const picture = blankImage({ width, height }, [200, 100, 50]);
    writeFileSync(join(folder, `${name}.png`), await encodeImage(picture, 'png'));
  }
  return {
    folder,
    open: (changes, options = {}) => {
      const annotations = join(folder, 'annotations.json');
      writeFileSync(annotations, JSON.stringify({ ...RECORDS, ...changes }));
      return openDetectionDataset({ annotations, images: folder, ...options });
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

export const image = (id: number, name: string, width: number, height: number): Json => ({
  ...{ id, width, height },
  file_name: `${name}.png`,
});

export const object = (id: number, changes: Json = {}): Json => ({
  ...{ id, image_id: 1, category_id: 7, iscrowd: 0, area: 100, bbox: [5, 5, 10, 10] },
  segmentation: [[5, 5, 15, 5, 15, 15, 5, 15]],
  ...changes,
});

const RECORDS = {
  images: [image(1, 'a', 40, 30)],
  categories: [
    { id: 90, name: 'second' },
    { id: 7, name: 'first' },
  ],
  annotations: [object(1)],
};
