/** A data set whose labels are colours, as a configuration names it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blankImage, encodeImage, type Rgb } from '@pyramidal/images';
import { segmentationSchema } from './config';
import { openData } from './data-folder';

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'colours-'));
  for (const [folder, extension] of [
    ['images', 'jpg'],
    ['annotations', 'png'],
  ] as const) {
    // prettier-ignore
    mkdirSync(join(root, folder, 'training'), { recursive: true });
    const colour: Rgb = [128, 64, 128];
    const picture = blankImage({ width: 4, height: 4 }, colour);
    writeFileSync(join(root, folder, 'training', `a.${extension}`), await encodeImage(picture, extension === 'jpg' ? 'jpeg' : 'png')); // prettier-ignore
  }
});
afterAll(() => rmSync(root, { recursive: true }));

const configOf = (colours: object) =>
  segmentationSchema.parse({
    data: { root, colours, val: 'none' },
    model: { backbone: { name: 'smt_tiny' }, head: { name: 'upernet' } },
    train: { epochs: 1, batchSize: 1, optimizer: { name: 'sgd', lr: 0.1 }, schedule: { name: 'constant' } },
  });

it('reads labels by data.colours, which are the classes', async () => {
  const config = configOf({ road: '#804080', sky: '#4682b4' });
  const { classes, notes } = await openData(config);
  expect(classes.map(({ name }) => name)).toEqual(['road', 'sky']);
  expect(notes).toEqual(['training: 1 labels hold 1 of 2 classes: road 100.0%; 0.0% unlabelled; never: sky']);
});

it('refuses what is no colour as a fault of the configuration', () => {
  expect(() => configOf({ road: 'purple' })).toThrow("expected a colour such as '#804080'");
});
