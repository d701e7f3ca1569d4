/** A data set of any size whose detections hit, lie beside, name another class, come twice, or miss; for specs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CocoAnnotation, COCO, type CocoDataset, type CocoResult, mask } from '@cocoeval/ts';
import { blankImage, encodeImage, type Rgb } from '@pyramidal/images';
import type { DetectionsToInspect } from '../detection/inspect-detections';

const [WIDTH, HEIGHT] = [96, 72];
const CLASSES: readonly { readonly name: string; readonly supercategory: string; readonly colour: Rgb }[] = [
  { name: 'cat', supercategory: 'animal', colour: [0, 114, 178] },
  { name: 'dog', supercategory: 'animal', colour: [213, 94, 0] },
  { name: '<b>猫</b>', supercategory: 'sign', colour: [0, 158, 115] },
];

export interface ToySet {
  readonly dataset: CocoDataset;
  /** Of two runs; the second is the better one. */
  readonly results: readonly [CocoResult[], CocoResult[]];
}

/** Three objects in each image, every fifth image with a crowd. */
export function toySet(images: number): ToySet {
  const annotations: CocoAnnotation[] = [];
  const results: [CocoResult[], CocoResult[]] = [[], []];
  for (let i = 0; i < images; i++) {
    for (let k = 0; k < 3; k++) {
      const id = annotations.length + 1;
      const bbox = [4 + 30 * k, 10 + 7 * (i % 5), 22, 20 + 4 * k] as const;
      const category_id = 10 * (1 + ((i + k) % 3));
      const [x, y, width, height] = bbox;
      annotations.push({
        ...{ id, image_id: 100 + i, category_id, bbox, area: width * height, iscrowd: i % 5 === 0 && k === 2 ? 1 : 0 },
        segmentation: [[x, y, x + width, y, x + width, y + height, x, y + height]],
      });
      results[0].push(...foundIn({ i, k, bbox, category_id }));
      results[1].push(resultOf(100 + i, category_id, bbox, 0.9 - 0.01 * k));
    }
  }
  return { dataset: { images: imagesOf(images), annotations, categories: categoriesOf() }, results };
}

function foundIn({
  i,
  k,
  bbox,
  category_id,
}: {
  i: number;
  k: number;
  bbox: readonly [number, number, number, number];
  category_id: number;
}): CocoResult[] {
  // prettier-ignore
  const [x, y, width, height] = bbox;
  const score = 0.35 + ((7 * i + 3 * k) % 60) / 100;
  const own = resultOf(100 + i, category_id, bbox, score);
  switch ((i + 2 * k) % 7) {
    case 0:
      return [resultOf(100 + i, category_id, [x + 9, y, width, height], score)]; // too far off
    case 1:
      return [resultOf(100 + i, 10 * (1 + ((category_id / 10) % 3)), bbox, score)]; // another class
    case 2:
      return []; // missed
    case 3:
      return [own, resultOf(100 + i, category_id, [x + 1, y, width, height], score / 2)]; // twice
    case 4:
      return [own, resultOf(100 + i, category_id, [60, 60, 10, 10], score)]; // nothing there
    default:
      return [own];
  }
}

function resultOf(
  image_id: number,
  category_id: number,
  bbox: readonly [number, number, number, number],
  score: number,
): CocoResult {
  const [segmentation] = mask.fromBoxes([bbox], HEIGHT, WIDTH);
  return { image_id, category_id, bbox, score, segmentation: segmentation! };
}

const imagesOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: 100 + i, width: WIDTH, height: HEIGHT, file_name: `${i}.png` }));

const categoriesOf = () => CLASSES.map(({ name, supercategory }, i) => ({ id: 10 * (i + 1), name, supercategory }));

/** Draws every object as a rectangle in its class's colour. */
export async function writePictures(folder: string, { images, annotations = [] }: CocoDataset): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const { id, file_name } of images) {
    const picture = blankImage({ width: WIDTH, height: HEIGHT }, [110, 120, 110]);
    for (const { image_id, category_id, bbox } of annotations) {
      if (image_id !== id) continue;
      const [x, y, width, height] = bbox as [number, number, number, number];
      for (let row = y; row < Math.min(HEIGHT, y + height); row++) {
        for (let column = x; column < x + width; column++) {
          picture.data.set(CLASSES[category_id / 10 - 1]!.colour, 3 * (row * WIDTH + column));
        }
      }
    }
    writeFileSync(join(folder, file_name!), await encodeImage(picture, 'png'));
  }
}

/** What the inspector is told of it. @param runs how many of them. */
export function toInspect({ dataset, results }: ToySet, folder: string, runs = 1): DetectionsToInspect {
  const coco = new COCO(dataset);
  return {
    title: 'toys',
    coco,
    images: dataset.images.map(({ id, file_name }) => ({
      ...{ id, width: WIDTH, height: HEIGHT },
      file: join(folder, file_name!),
    })),
    classes: CLASSES.map(({ name, colour }, i) => ({ name, colour, categoryId: 10 * (i + 1) })),
    runs: results.slice(0, runs).map((one, i) => ({ name: `run ${i + 1}`, results: coco.loadRes(one) })),
    decode: {},
  };
}
