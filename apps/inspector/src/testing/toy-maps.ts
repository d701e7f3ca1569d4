/** Pictures with label maps and two runs' predictions, for specs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { blankImage, encodeImage } from '@pyramidal/images';
import type { ClassMap, SegmentationToInspect } from '../segmentation/inspect-segmentation';

const [WIDTH, HEIGHT] = [96, 72];
const IMAGES = 6;
const CLASSES = [
  { name: 'sky', colour: [86, 180, 233] },
  { name: 'ground', colour: [148, 103, 60] },
  { name: 'tree', colour: [0, 120, 70] },
] as const;

/** Sky over ground with a tree whose trunk leans; predictions are off by some pixels. */
function mapOf(image: number, off: number): ClassMap {
  const data = new Uint8Array(WIDTH * HEIGHT);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const isTree = Math.hypot(x - 30 - 6 * image - off, y - 30) < 16;
      data[y * WIDTH + x] = isTree ? 2 : y > 44 + off ? 1 : 0;
    }
  }
  return { data, width: WIDTH, height: HEIGHT };
}

/** Writes the pictures. */
export async function toyMaps(folder: string): Promise<SegmentationToInspect> {
  mkdirSync(folder, { recursive: true });
  for (let i = 0; i < IMAGES; i++) {
    const picture = blankImage({ width: WIDTH, height: HEIGHT }, [0, 0, 0]);
    mapOf(i, 0).data.forEach((label, pixel) => {
      const shade = 0.75 + 0.25 * Math.sin(pixel * (1 + i));
      picture.data.set(CLASSES[label]!.colour.map((channel) => Math.round(channel * shade)), 3 * pixel); // prettier-ignore
    });
    writeFileSync(join(folder, `${i}.png`), await encodeImage(picture, 'png'));
  }
  return {
    title: 'scenes',
    images: Array.from({ length: IMAGES }, (_, i) => ({ name: `scene/${i}`, file: join(folder, `${i}.png`) })),
    readLabels: async (image) => mapOf(image, 0),
    classes: CLASSES,
    runs: [
      { name: 'first', readMap: async (image) => mapOf(image, 3 + image) },
      { name: 'second', readMap: async (image) => mapOf(image, 1) },
    ],
    decode: {},
  };
}
