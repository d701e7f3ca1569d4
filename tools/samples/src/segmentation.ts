import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Random } from '@pyramidal/images';
import sharp from 'sharp';
import { renderScene } from './render';
import { ensureSampleSet, type Parameters } from './sample-set';
import { corners, drawShape, kindName, type Shape, SHAPE_KINDS } from './shapes';

export interface SegmentationSetOptions {
  readonly seed: number;
  /** Images in each split. */
  readonly train: number;
  readonly val: number;
  /** Side of the square images, in pixels. */
  readonly size: number;
}

const VERSION = 1;
/** Shapes in a picture, at most. */
const SHAPES = 3;
/** One kind an outline, each with a texture of its own: what a pixel belongs to shows within a few pixels around it. */
const KINDS = ['striped-circle', 'checked-square', 'plain-triangle', 'gridded-star'].map((name) =>
  SHAPE_KINDS.find((kind) => kindName(kind) === name)!,
);
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
        const kinds = Array.from({ length: 1 + random.integer(SHAPES) }, () => random.integer(KINDS.length));
        const shapes = kinds.map((kind) => drawShape(KINDS[kind]!, size, random));
        const name = String(i).padStart(5, '0');
        await writeFile(join(images, `${name}.jpg`), await renderScene(shapes, size, random));
        await writeFile(join(annotations, `${name}.png`), await renderLabels(shapes, kinds, size));
      }
    }
    const classes = ['background', ...KINDS.map((kind) => kindName(kind).replace('-', ' '))];
    await writeFile(join(folder, 'classes.json'), JSON.stringify(classes, null, 2) + '\n');
  });
}

/** The label PNG of a scene: the last shape whose outline holds a pixel's centre. */
async function renderLabels(shapes: readonly Shape[], kinds: readonly number[], size: number): Promise<Buffer> {
  const labels = new Uint8Array(size * size).fill(BACKGROUND);
  shapes.forEach((shape, i) => {
    const outline = corners(shape);
    for (let pixel = 0; pixel < labels.length; pixel++) {
      const [x, y] = [(pixel % size) + 0.5, Math.floor(pixel / size) + 0.5];
      if (isInside(outline, x, y)) labels[pixel] = BACKGROUND + 1 + kinds[i]!;
    }
  });
  return sharp(labels, { raw: { width: size, height: size, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}

/** Even-odd rule. */
function isInside(outline: ReturnType<typeof corners>, x: number, y: number): boolean {
  let inside = false;
  outline.forEach(([x1, y1], i) => {
    const [x2, y2] = outline[(i + 1) % outline.length]!;
    if (y1 > y !== y2 > y && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) inside = !inside;
  });
  return inside;
}
