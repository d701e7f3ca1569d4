/** Pictures of two colours in ADE20K's layout, a configuration that learns them in seconds, and the program on them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeLabels } from '@pyramidal/ade20k';
import { blankImage, encodeImage } from '@pyramidal/images';
import { runnerOf, type Toy, writeToy } from '@pyramidal/task-testing';
import { segmentation } from '../segmentation';

/** Label files of the pictures. */
export const CODING = { classes: 2, reduceZeroLabel: true };

const CONFIG = `data:
  root: DATA
  workers: 0
model:
  backbone:
    name: groupmixformer_miny
    channels: [10, 10, 10, 10]
    depths: [1, 1, 1, 1]
    dropPath: 0
  head: { name: upernet, channels: 8, auxiliaryChannels: 8 }
input: { longest: 64, shortest: 48, crop: 48 }
augmentation: { ratioRange: [1, 1], photometric: false }
train:
  epochs: 30
  batchSize: 4
  optimizer: { name: adamw, lr: 1.0e-2 }
  logEvery: 1
  saveEvery: 10
evaluation: { every: 30 }
`;

/** Writes set and configuration into a new folder. */
export const makeToy = (): Promise<Toy> => writeToy(CONFIG, writeSet);

/** Four pictures a split, 60 x 44, red on the left and blue on the right of a line that moves. */
export async function writeSet(root: string): Promise<void> {
  for (const split of ['training', 'validation']) {
    for (const kind of ['images', 'annotations']) mkdirSync(join(root, kind, split), { recursive: true });
    for (let i = 0; i < 4; i++) {
      await writePicture(join(root, 'images', split, `${i}.png`), i);
      const data = Uint8Array.from({ length: 60 * 44 }, (_, pixel) => (isLeft(pixel % 60, i) ? 0 : 1));
      const label = await encodeLabels({ data, width: 60, height: 44 }, CODING);
      writeFileSync(join(root, 'annotations', split, `${i}.png`), label);
    }
  }
  writeFileSync(join(root, 'classes.json'), '["left", "right"]');
}

/** Its `i`th picture. */
export async function writePicture(file: string, i: number): Promise<void> {
  const picture = blankImage({ width: 60, height: 44 });
  for (let pixel = 0; pixel < 60 * 44; pixel++) {
    picture.data.set(isLeft(pixel % 60, i) ? [200, 30, 30] : [30, 30, 200], 3 * pixel);
  }
  writeFileSync(file, await encodeImage(picture, 'png'));
}

const isLeft = (x: number, i: number): boolean => x < 18 + 8 * i;

/** Runs the program. */
export const segment = runnerOf(segmentation);
