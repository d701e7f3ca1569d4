/** The sample set for detection, in COCO's format. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CocoAnnotation, mask } from '@cocoeval/ts';
import { Random } from '@pyramidal/random';
import { coverage } from './coverage';
import { renderScene } from './render';
import { ensureSampleSet, type Parameters } from './sample-set';
import { DISTINCT_KINDS, drawShape, kindName, kindNamed, type Shape, type ShapeKind } from './shapes';

export interface DetectionSetOptions {
  readonly seed: number;
  /** Images in each split. */
  readonly train: number;
  readonly val: number;
  /** Side of the square images, in pixels. */
  readonly size: number;
  /** Names of the kinds of shapes, such as `dotted-circle`; one for each outline where absent. */
  readonly kinds?: readonly string[];
}

const VERSION = 1;
/** Shapes in a picture, and their radii in sides of the picture. */
const SHAPES = { fewest: 2, most: 5 };
const RADII = [0.11, 0.24] as const;
/** Share of a shape's pixels that those in front of it leave to be seen, at least. */
const VISIBLE = 0.4;
/** Tries for each shape until one hides none of the others too much. */
const TRIES = 20;

/**
 * Makes a set in COCO's format (`train/*.jpg`, `val/*.jpg`, `annotations/instances_train.json`, `instances_val.json`):
 * textured shapes that partly hide each other. Masks are what is seen of a shape.
 */
export async function makeDetectionSet(
  out: string,
  { kinds: names, ...options }: DetectionSetOptions,
): Promise<boolean> {
  const { seed, size } = options;
  const kinds = names?.map(kindNamed) ?? DISTINCT_KINDS;
  const categories = kinds.map((kind, i) => ({
    id: i + 1,
    name: kindName(kind).replace('-', ' '),
    supercategory: kind.outline,
  }));
  const chosen = names && { kinds: names.join() };
  const parameters: Parameters = { kind: 'detection', version: VERSION, ...options, ...chosen };
  return ensureSampleSet(out, parameters, async (folder) => {
    await mkdir(join(folder, 'annotations'));
    for (const [index, split] of (['train', 'val'] as const).entries()) {
      await mkdir(join(folder, split));
      const images: Picture[] = [];
      const annotations: CocoAnnotation[] = [];
      for (let i = 0; i < options[split]; i++) {
        const random = new Random([seed, index, i]);
        const scene = composeScene(kinds, size, random);
        const image = { id: i + 1, file_name: `${String(i).padStart(5, '0')}.jpg`, width: size, height: size };
        const shapes = scene.map(({ shape }) => shape);
        await writeFile(join(folder, split, image.file_name), await renderScene(shapes, size, random));
        images.push(image);
        for (const instance of scene) annotations.push(annotate(instance, image, annotations.length + 1));
      }
      const file = join(folder, 'annotations', `instances_${split}.json`);
      await writeFile(file, JSON.stringify({ images, annotations, categories }));
    }
  });
}

interface Picture {
  readonly id: number;
  readonly file_name: string;
  readonly width: number;
  readonly height: number;
}

/** A shape of a scene and what is seen of it. */
interface Instance {
  /** Its place among the kinds, which its category's id follows. */
  readonly kind: number;
  readonly shape: Shape;
  /** Pixels that it would cover alone. */
  readonly whole: number;
  /** Row by row, 1 where it is seen. */
  readonly visible: Uint8Array;
}

/** Shapes from back to front. */
function composeScene(kinds: readonly ShapeKind[], size: number, random: Random): Instance[] {
  const wanted = SHAPES.fewest + random.integer(SHAPES.most - SHAPES.fewest + 1);
  let scene: Instance[] = [];
  for (let tries = 0; scene.length < wanted && tries < TRIES * wanted; tries++) {
    const kind = random.integer(kinds.length);
    const shape = drawShape(kinds[kind]!, size, random, RADII);
    const visible = coverage(shape, size);
    const behind = scene.map((instance) => ({ ...instance, visible: without(instance.visible, visible) }));
    const isSeen = (instance: Instance): boolean => count(instance.visible) >= VISIBLE * instance.whole;
    if (behind.every(isSeen)) scene = [...behind, { kind, shape, whole: count(visible), visible }];
  }
  return scene;
}

function annotate({ kind, visible }: Instance, { id: image_id, width, height }: Picture, id: number): CocoAnnotation {
  const segmentation = mask.encode({ data: visible, width, height });
  const [bbox, area] = [mask.toBbox(segmentation), mask.area(segmentation)];
  return { id, image_id, category_id: kind + 1, bbox, area, iscrowd: 0, segmentation };
}

const without = (pixels: Uint8Array, covered: Uint8Array): Uint8Array =>
  pixels.map((value, pixel) => (covered[pixel] ? 0 : value));

const count = (pixels: Uint8Array): number => pixels.reduce((sum, value) => sum + value, 0);
