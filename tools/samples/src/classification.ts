/** The sample set for classification, an ImageFolder. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Random } from '@pyramidal/random';
import { renderScene } from './render';
import { type Parameters, ensureSampleSet } from './sample-set';
import { SHAPE_KINDS, drawShape, kindName } from './shapes';

export interface ClassificationSetOptions {
  readonly seed: number;
  /** Images in each split, spread evenly over the classes. */
  readonly train: number;
  readonly val: number;
  /** Side of the square images, in pixels. */
  readonly size: number;
}

/** Changes when the pictures do, so that older sets are rendered again. */
const VERSION = 3;

/** Makes an ImageFolder set (`train/<class>/*.jpg`, `val/<class>/*.jpg`, `classes.json`): one textured shape an image. */
export async function makeClassificationSet(out: string, options: ClassificationSetOptions): Promise<boolean> {
  const { seed, size } = options;
  const parameters: Parameters = { kind: 'classification', version: VERSION, ...options };
  return ensureSampleSet(out, parameters, async (folder) => {
    for (const [split, count] of [
      ['train', options.train],
      ['val', options.val],
    ] as const) {
      for (const kind of SHAPE_KINDS) await mkdir(join(folder, split, kindName(kind)), { recursive: true });
      for (let i = 0; i < count; i++) {
        const kind = SHAPE_KINDS[i % SHAPE_KINDS.length]!;
        const random = new Random([seed, split === 'train' ? 0 : 1, i]);
        const jpeg = await renderScene([drawShape(kind, size, random)], size, random);
        await writeFile(join(folder, split, kindName(kind), `${String(i).padStart(5, '0')}.jpg`), jpeg);
      }
    }
    const classes = SHAPE_KINDS.map((kind, index) => ({
      index,
      folder: kindName(kind),
      name: kindName(kind).replace('-', ' '),
    }));
    await writeFile(join(folder, 'classes.json'), JSON.stringify(classes, null, 2) + '\n');
  });
}
