/** Pictures of ground truth beside what a detector found. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { COCO, type CocoAnnotation, mask } from '@cocoeval/ts';
import { decodeImage, encodeImage, padImage, resizeImage, type RgbImage } from '@pyramidal/images';
import { drawAnnotations, PALETTE, tintMask } from '@pyramidal/pictures';

interface ComparisonOptions {
  /** Ground truth in COCO's format, and the folder of its images. */
  readonly annotations: string;
  readonly images: string;
  /** Detected masks, a results file in COCO's format. */
  readonly results: string;
  readonly out: string;
  /** Number of images, from the first. */
  readonly count: number;
}

/** Detections of a lower score are not drawn. */
const SCORE = 0.5;
/** Small pictures are enlarged so that their labels can be read. */
const ENLARGED = 3;
const GAP = 12;
const WHITE = [255, 255, 255] as const;

/** Draws what is in an image on the left, and what was found on the right. @returns the folder of the pictures. */
export async function drawComparisons(options: ComparisonOptions): Promise<string> {
  const { annotations, images, results, out, count } = options;
  const truth = new COCO(await readFile(annotations, 'utf8'));
  const found = truth.loadRes(await readFile(results, 'utf8'));
  await mkdir(out, { recursive: true });
  for (const { id, file_name } of truth.images.slice(0, count)) {
    const image = await decodeImage(join(images, file_name!));
    const sides = await Promise.all([truth, found].map((coco) => drawObjects(image, coco, id)));
    const name = `${basename(file_name!, extname(file_name!))}.png`;
    await writeFile(join(out, name), await encodeImage(sideBySide(sides[0]!, sides[1]!), 'png'));
  }
  return out;
}

async function drawObjects(image: RgbImage, coco: COCO, id: number): Promise<RgbImage> {
  const scoreOf = ({ score = 1 }: CocoAnnotation & { readonly score?: number }): number => score;
  const shown = (coco.imgToAnns.get(id) ?? []).filter((object) => scoreOf(object) >= SCORE);
  // The best lie on top.
  const objects = shown.sort((a, b) => scoreOf(a) - scoreOf(b));
  const colourOf = ({ category_id }: CocoAnnotation) => PALETTE[(category_id - 1) % PALETTE.length]!;
  const tinted = { ...image, data: image.data.slice() };
  for (const object of objects) tintMask(tinted, mask.decode(coco.annToRLE(object)).data, colourOf(object));
  const size = { width: ENLARGED * image.width, height: ENLARGED * image.height };
  const boxes = objects.map((object) => {
    const [x, y, width, height] = object.bbox!.map((value) => ENLARGED * value) as [number, number, number, number];
    const score = 'score' in object ? ` ${scoreOf(object).toFixed(2)}` : '';
    const label = `${coco.cats.get(object.category_id)!.name}${score}`;
    return { box: [x, y, x + width, y + height] as const, colour: colourOf(object), label };
  });
  return drawAnnotations(resizeImage(tinted, { ...size, convention: 'opencv-bilinear' }), boxes);
}

function sideBySide(left: RgbImage, right: RgbImage): RgbImage {
  const canvas = { width: left.width + GAP + right.width, height: Math.max(left.height, right.height) };
  const joined = padImage(left, canvas, { fill: WHITE });
  for (let y = 0; y < right.height; y++) {
    const row = right.data.subarray(3 * y * right.width, 3 * (y + 1) * right.width);
    joined.data.set(row, 3 * (y * canvas.width + left.width + GAP));
  }
  return joined;
}
