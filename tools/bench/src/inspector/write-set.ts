/** 5,000 photographs' worth of JPEGs with 36,800 instances and 200,000 detections, the same on every machine. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CocoDataset, CocoResult } from '@cocoeval/ts';
import { blankImage, encodeImage, type RgbImage, type Size } from '@pyramidal/images';
import { cocoevalData } from '../cocoeval-data';

const DETECTIONS = 200_000;

export interface InspectedSet {
  readonly annotations: string;
  readonly images: string;
  readonly results: string;
}

/** Adds pictures, and some detections, to the set of the benchmark `cocoeval`; writes them if they are not there yet. */
export async function writeSet(): Promise<InspectedSet> {
  const { gt, boxes } = cocoevalData();
  const folder = join(gt, '../../inspector-1');
  const set = { annotations: gt, images: join(folder, 'images'), results: join(folder, 'results.json') };
  if (existsSync(folder)) return set;
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(join(unfinished, 'images'), { recursive: true });
  const { images } = JSON.parse(readFileSync(gt, 'utf8')) as CocoDataset;
  const written = new Map<string, string>();
  for (const { file_name, width, height } of images) {
    const file = join(unfinished, 'images', file_name!);
    const size = `${width}x${height}`;
    const same = written.get(size);
    if (same === undefined) writeFileSync(file, await encodeImage(scenery({ width: width!, height: height! }), 'jpeg'));
    else copyFileSync(same, file);
    written.set(size, file);
  }
  const found = JSON.parse(readFileSync(boxes, 'utf8')) as CocoResult[];
  const more = found.slice(0, DETECTIONS - found.length).map((one) => ({ ...one, score: one.score / 2 }));
  writeFileSync(join(unfinished, 'results.json'), JSON.stringify([...found, ...more]));
  renameSync(unfinished, folder);
  return set;
}

/** Waves and grain, of about as many bytes as a photograph. */
function scenery(size: Size): RgbImage {
  const picture = blankImage(size, [0, 0, 0]);
  const { data } = picture;
  for (let i = 0; i < data.length; i++) {
    const [x, y] = [Math.floor(i / 3) % size.width, Math.floor(i / 3 / size.width)];
    const wave = Math.sin(x / 37 + (i % 3)) + Math.cos(y / 23 - (x * y) / 9000);
    data[i] = 128 + 40 * wave + ((i * 7919) % 31);
  }
  return picture;
}
