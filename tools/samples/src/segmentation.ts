/** The sample set for segmentation, in ADE20K's layout. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Random } from '@pyramidal/random';
import sharp from 'sharp';
import { coverage } from './coverage';
import { renderScene } from './render';
import { ensureSampleSet, type Parameters } from './sample-set';
import { DISTINCT_KINDS, drawShape, kindName, type Shape } from './shapes';

export interface SegmentationSetOptions {
  readonly seed: number;
  /** Images in each split. */
  readonly train: number;
  readonly val: number;
  /** Side of the square images, in pixels. */
  readonly size: number;
}

const VERSION = 2;
/** Shapes in a picture, at most. */
const SHAPES = 3;
/** Label of what no shape covers; the kinds follow. 0 would be unlabelled. */
const BACKGROUND = 1;

/** Makes a set in ADE20K's layout (`images/`, `annotations/`, `classes.json`): up to three textured shapes an image. */
export async function makeSegmentationSet(out: string, options: SegmentationSetOptions): Promise<boolean> {
  const { seed, size } = options;
  const parameters: Parameters = { kind: 'segmentation', version: VERSION, ...options };
  return ensureSampleSet(out, parameters, async (folder) => {
    for (const [index, [split, count]] of (
      [
        ['training', options.train],
        ['validation', options.val],
      ] as const
    ).entries()) {
      const [images, annotations] = [join(folder, 'images', split), join(folder, 'annotations', split)];
      await mkdir(images, { recursive: true });
      await mkdir(annotations, { recursive: true });
      for (let i = 0; i < count; i++) {
        const random = new Random([seed, index, i]);
        const kinds = Array.from({ length: 1 + random.integer(SHAPES) }, () => random.integer(DISTINCT_KINDS.length));
        const shapes = kinds.map((kind) => drawShape(DISTINCT_KINDS[kind]!, size, random));
        const name = String(i).padStart(5, '0');
        await writeFile(join(images, `${name}.jpg`), await renderScene(shapes, size, random));
        await writeFile(join(annotations, `${name}.png`), await renderLabels(shapes, kinds, size));
      }
    }
    const classes = ['background', ...DISTINCT_KINDS.map((kind) => kindName(kind).replace('-', ' '))];
    await writeFile(join(folder, 'classes.json'), JSON.stringify(classes, null, 2) + '\n');
  });
}

/** The label PNG of a scene: the last shape that covers a pixel. */
async function renderLabels(shapes: readonly Shape[], kinds: readonly number[], size: number): Promise<Buffer> {
  const labels = new Uint8Array(size * size).fill(BACKGROUND);
  shapes.forEach((shape, i) => {
    coverage(shape, size).forEach((covers, pixel) => {
      if (covers) labels[pixel] = BACKGROUND + 1 + kinds[i]!;
    });
  });
  return sharp(labels, { raw: { width: size, height: size, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}
