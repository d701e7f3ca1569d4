/**
 * A dataset of a few pictures of rectangles, a configuration that learns them in seconds, and the program on them. Rounding
 * differs by processor and is as good as another seed to so short a training: rate and length are such that all seeds learn.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CocoAnnotation, CocoDataset } from '@cocoeval/ts';
import { runnerOf, type Toy, writeToy } from '@pyramidal/task-testing';
import { blankImage, encodeImage, type Rgb } from '@pyramidal/images';
import { detection } from '../detection';

const CONFIG = `data:
  root: DATA
  train: { annotations: train.json, images: images }
  val: { annotations: val.json, images: images }
  maxObjects: 4
  workers: 0
model:
  backbone:
    name: groupmixformer_miny
    channels: [10, 10, 10, 10]
    depths: [1, 1, 1, 1]
    dropPath: 0
  neck: { channels: 16 }
  detector:
    name: mask-rcnn
    anchors: { scales: [4], ratios: [1] }
    anchorSample: { count: 32 }
    trainProposals: { perLevel: 50, count: 40 }
    testProposals: { perLevel: 50, count: 20 }
    roiSample: { count: 16 }
    boxHidden: 32
    maskHidden: 16
    maskConvs: 1
    detections: { count: 10 }
input: { longest: 64, shortest: 64 }
train:
  epochs: 60
  batchSize: 4
  optimizer: { name: adamw, lr: 5.0e-3 }
  schedule: { name: cosine }
  clipGradNorm: 5
  logEvery: 1
  saveEvery: 10
evaluation: { every: 60 }
`;

/** Categories, whose ids leave gaps, with the colours of their rectangles. */
const CATEGORIES: readonly { readonly id: number; readonly name: string; readonly colour: Rgb }[] = [
  { id: 7, name: 'red', colour: [220, 30, 30] },
  { id: 3, name: 'blue', colour: [30, 30, 220] },
];

const [WIDTH, HEIGHT] = [64, 48];
const IMAGES = 4;

/** Writes set and configuration into a new folder. */
export const makeToy = (): Promise<Toy> => writeToy(CONFIG, writeSet);

/** Pictures of two rectangles, one of each category; the same for training and validation. */
export async function writeSet(root: string): Promise<void> {
  mkdirSync(join(root, 'images'), { recursive: true });
  const annotations: CocoAnnotation[] = [];
  for (let i = 0; i < IMAGES; i++) {
    const picture = blankImage({ width: WIDTH, height: HEIGHT }, [120, 140, 120]);
    for (const [k, { id, colour }] of CATEGORIES.entries()) {
      const bbox = [4 + 32 * ((i + k) % 2) + 2 * i, 6 + 5 * ((2 * i + k) % 4), 16 + 2 * k, 14 + 3 * k] as const;
      const [x, y, width, height] = bbox;
      for (let row = y; row < y + height; row++) {
        for (let column = x; column < x + width; column++) picture.data.set(colour, 3 * (row * WIDTH + column));
      }
      annotations.push({
        ...{ id: annotations.length + 1, image_id: 10 + i, category_id: id, bbox, area: width * height, iscrowd: 0 },
        segmentation: [[x, y, x + width, y, x + width, y + height, x, y + height]],
      });
    }
    writeFileSync(join(root, 'images', `${i}.png`), await encodeImage(picture, 'png'));
  }
  const images = Array.from({ length: IMAGES }, (_, i) => {
    return { id: 10 + i, file_name: `${i}.png`, width: WIDTH, height: HEIGHT };
  });
  const categories = CATEGORIES.map(({ id, name }) => ({ id, name }));
  writeAnnotations(root, { images, annotations, categories });
}

/** The same annotations for training and validation. */
export function writeAnnotations(root: string, dataset: CocoDataset): void {
  for (const split of ['train', 'val']) writeFileSync(join(root, `${split}.json`), JSON.stringify(dataset));
}

/** Runs the program. */
export const detect = runnerOf(detection);
