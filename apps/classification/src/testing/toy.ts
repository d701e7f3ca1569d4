/** Pictures of three colours, one folder a colour, a configuration that learns them in seconds, and the program on them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { blankImage, encodeImage, type Rgb } from '@pyramidal/images';
import { runnerOf, type Toy, writeToy } from '@pyramidal/task-testing';
import { classification } from '../classification';

/** The classes. */
export const COLOURS: Readonly<Record<string, Rgb>> = { red: [200, 30, 30], green: [30, 160, 30], blue: [30, 30, 200] };

const CONFIG = `data:
  root: DATA
  workers: 0
model:
  backbone:
    name: groupmixformer_miny
    channels: [10, 10, 10, 10]
    depths: [1, 1, 1, 1]
    dropPath: 0
input: { size: 32, cropPct: 1 }
augmentation: { scale: [1, 1] }
train:
  epochs: 80
  batchSize: 9
  optimizer: { name: adamw, lr: 1.0e-2 }
  schedule: { name: cosine }
  logEvery: 1
  saveEvery: 10
evaluation: { every: 80 }
`;

/** Writes set and configuration into a new folder. */
export const makeToy = (): Promise<Toy> => writeToy(CONFIG, writeSet);

/** The same pictures for training and validation. */
export async function writeSet(root: string): Promise<void> {
  for (const split of ['train', 'val']) {
    for (const [name, colour] of Object.entries(COLOURS)) await writePictures(join(root, split, name), colour);
  }
}

/** Three pictures of nearly one colour. */
export async function writePictures(to: string, [red, green, blue]: Rgb): Promise<void> {
  mkdirSync(to, { recursive: true });
  for (const shade of [0, 1, 2]) {
    const colour: Rgb = [red + 10 * shade, green + 10 * shade, blue + 10 * shade];
    writeFileSync(join(to, `${shade}.png`), await encodeImage(blankImage({ width: 40, height: 36 }, colour), 'png'));
  }
}

/** Runs the program. */
export const classify = runnerOf(classification);
