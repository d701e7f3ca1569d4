/**
 * A set of the size of COCO val2017, the same on every machine: 5,000 images, 36,800 instances with polygons, 180,000 box
 * and 60,000 mask detections. Detections are objects moved, scaled, doubled or mistaken for another category, and noise.
 */
import { mask } from '@cocoeval/ts';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const IMAGES = 5_000;
const INSTANCES = 36_800;
const BOXES = 180_000;
const MASKS = 60_000;
const CATEGORIES = 80;
const PERSON_SHARE = 0.3;
const CROWD_SHARE = 0.012;

export interface CocoevalData {
  readonly gt: string;
  readonly boxes: string;
  readonly masks: string;
}

interface Shape {
  readonly image: number;
  readonly category: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly points: number;
}

/** Writes the files if they are not there yet. */
export function cocoevalData(folder = join(tmpdir(), 'pyramidal-bench', 'cocoeval-1')): CocoevalData {
  const data = { gt: join(folder, 'gt.json'), boxes: join(folder, 'boxes.json'), masks: join(folder, 'masks.json') };
  if (existsSync(folder)) return data;
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  const random = new Random(1);
  const images = Array.from({ length: IMAGES }, (_, i) => imageRecord(i, random));
  const shapes = Array.from({ length: INSTANCES }, () => randomShape(images, random));
  writeJson(join(unfinished, 'gt.json'), (write) => writeGroundTruth(images, shapes, random, write));
  writeJson(join(unfinished, 'boxes.json'), (write) =>
    writeList(write, BOXES, () => boxResult(images, detected(images, shapes, random), random)),
  );
  writeJson(join(unfinished, 'masks.json'), (write) =>
    writeList(write, MASKS, () => maskResult(images, detected(images, shapes, random), random)),
  );
  rmSync(folder, { recursive: true, force: true });
  renameSync(unfinished, folder);
  return data;
}

/** mulberry32 */
class Random {
  constructor(private state: number) {}

  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  below(count: number): number {
    return Math.floor(this.next() * count);
  }
}

interface ImageRecord {
  readonly id: number;
  readonly width: number;
  readonly height: number;
  readonly file_name: string;
}

function imageRecord(index: number, random: Random): ImageRecord {
  const id = 100 * (index + 1) + random.below(100);
  const short = 360 + random.below(121);
  const [width, height] = random.next() < 0.75 ? [640, short] : [short, 640];
  return { id, width, height, file_name: `${String(id).padStart(12, '0')}.jpg` };
}

function randomShape(images: readonly ImageRecord[], random: Random): Shape {
  const image = random.below(images.length);
  const { width: w, height: h } = images[image] as ImageRecord;
  const size = Math.exp(random.between(Math.log(12), Math.log(400)));
  const aspect = Math.exp(random.between(-0.7, 0.7));
  const width = Math.min(w - 1, size * aspect);
  const height = Math.min(h - 1, size / aspect);
  return {
    image,
    category: random.next() < PERSON_SHARE ? 1 : 1 + random.below(CATEGORIES),
    x: random.between(0, w - width),
    y: random.between(0, h - height),
    width,
    height,
    points: 12 + random.below(30),
  };
}

/** What a detector might report: an object seen more or less well, or nothing real. */
function detected(images: readonly ImageRecord[], shapes: readonly Shape[], random: Random): Shape {
  if (random.next() < 0.3) return randomShape(images, random);
  const shape = shapes[random.below(shapes.length)] as Shape;
  const blur = random.next() < 0.6 ? 0.06 : 0.3;
  const shift = (): number => random.between(-blur, blur);
  const { width: w, height: h } = images[shape.image] as ImageRecord;
  const x = Math.max(0, shape.x + shift() * shape.width);
  const y = Math.max(0, shape.y + shift() * shape.height);
  return {
    ...shape,
    x,
    y,
    width: Math.min(w - x, shape.width * (1 + shift())),
    height: Math.min(h - y, shape.height * (1 + shift())),
    category: random.next() < 0.15 ? 1 + random.below(CATEGORIES) : shape.category,
  };
}

/** A dented ellipse in the shape's box. */
function polygonOf(shape: Shape, random: Random): number[] {
  const polygon: number[] = [];
  for (let i = 0; i < shape.points; i++) {
    const angle = (2 * Math.PI * i) / shape.points;
    const radius = random.between(0.7, 1) / 2;
    polygon.push(round(shape.x + shape.width * (0.5 + radius * Math.cos(angle))));
    polygon.push(round(shape.y + shape.height * (0.5 + radius * Math.sin(angle))));
  }
  return polygon;
}

function boxOf(polygon: readonly number[]): number[] {
  const xs = polygon.filter((_, i) => i % 2 === 0);
  const ys = polygon.filter((_, i) => i % 2 === 1);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return [x, y, round(Math.max(...xs) - x), round(Math.max(...ys) - y)];
}

function writeGroundTruth(
  images: readonly ImageRecord[],
  shapes: readonly Shape[],
  random: Random,
  write: (text: string) => void,
): void {
  const categories = Array.from({ length: CATEGORIES }, (_, i) => ({
    id: i + 1,
    name: `category ${i + 1}`,
    supercategory: `group ${i % 12}`,
  }));
  write(`{"info":{"description":"synthetic"},"licenses":[],"images":${JSON.stringify(images)},`);
  write(`"categories":${JSON.stringify(categories)},"annotations":`);
  let id = 0;
  writeList(write, shapes.length, (i) => {
    const shape = shapes[i] as Shape;
    const polygon = polygonOf(shape, random);
    const { width, height, id: image_id } = images[shape.image] as ImageRecord;
    const crowd = random.next() < CROWD_SHARE;
    const rle = mask.fromSegmentation([polygon], height, width);
    return {
      segmentation: crowd ? mask.toUncompressed(rle) : [polygon],
      area: mask.area(rle),
      iscrowd: crowd ? 1 : 0,
      image_id,
      bbox: boxOf(polygon),
      category_id: shape.category,
      id: ++id * 7,
    };
  });
  write('}');
}

function boxResult(images: readonly ImageRecord[], shape: Shape, random: Random): object {
  const { id: image_id } = images[shape.image] as ImageRecord;
  const bbox = [shape.x, shape.y, shape.width, shape.height].map(round);
  return { image_id, category_id: shape.category, bbox, score: score(random) };
}

function maskResult(images: readonly ImageRecord[], shape: Shape, random: Random): object {
  const { id: image_id, width, height } = images[shape.image] as ImageRecord;
  const segmentation = mask.fromPolygons([polygonOf(shape, random)], height, width)[0];
  return { image_id, category_id: shape.category, segmentation, score: score(random) };
}

/** Few digits, so that some scores are equal. */
function score(random: Random): number {
  return Math.round(1e5 * random.next()) / 1e5;
}

function round(value: number): number {
  return Math.round(100 * value) / 100;
}

function writeList(write: (text: string) => void, count: number, record: (index: number) => object): void {
  for (let i = 0; i < count; i++) write(`${i === 0 ? '[' : ','}${JSON.stringify(record(i))}`);
  write(']');
}

function writeJson(path: string, fill: (write: (text: string) => void) => void): void {
  const file = openSync(path, 'w');
  let pending = '';
  fill((text) => {
    pending += text;
    if (pending.length < 1 << 20) return;
    writeSync(file, pending);
    pending = '';
  });
  writeSync(file, pending);
  closeSync(file);
}
