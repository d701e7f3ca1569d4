/** Pictures of three colours, one folder a colour, a configuration that learns them in seconds, and the program on them. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blankImage, encodeImage, type Rgb } from '@pyramidal/images';
import { runApp } from '@pyramidal/task';
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
evaluation: { every: 80 }
`;

interface Toy {
  readonly folder: string;
  /** Path of the configuration. */
  readonly config: string;
}

/** Writes set and configuration into a new folder. */
export async function makeToy(): Promise<Toy> {
  const folder = mkdtempSync(join(tmpdir(), 'classify-'));
  const config = join(folder, 'toy.yaml');
  writeFileSync(config, CONFIG.replace('DATA', join(folder, 'data')));
  await writeSet(join(folder, 'data'));
  return { folder, config };
}

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

/** Runs the program; what it says on standard error, its progress aside, is the message. */
export async function classify(line: string, ...set: readonly string[]): Promise<{ code: number; message: string }> {
  const argv = [...line.split(' '), ...set.flatMap((override) => ['--set', override])];
  let message = '';
  const stderr = { write: (text: string): void => void (message += text) };
  const code = await runApp(classification, { argv, stderr });
  return { code, message };
}
