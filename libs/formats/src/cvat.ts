/** CVAT's labels, "CVAT for images 1.1" (https://docs.cvat.ai/docs/dataset_management/formats/format-cvat): one XML file, an element an image. */
import { join } from 'node:path';
import { mask, type Rle } from '@cocoeval/ts';
import { FileError, PendingFile } from '@pyramidal/files';
import { cropRuns, placeRuns, requireSmall } from './box-mask';
import { ImageFinder } from './image-finder';
import {
  type Attributes,
  boundsOf,
  DEFAULT_SPLIT,
  type LabelFormat,
  type LabelledImage,
  type LabelledObject,
  type LabelSet,
  type LabelSplit,
  type ReadOptions,
  tidy,
  usedCategories,
} from './label-set';
import { Losses } from './losses';
import { placeImage } from './place-images';
import { childOf, escapeXml, parseNumber, readXml, type XmlElement } from './xml';

export const cvat: LabelFormat = {
  source: 'an XML file, "CVAT for images 1.1"',
  open: openCvat,
  write: writeCvat,
  written: (out, split) => ({ source: join(out, `${split}.xml`), images: join(out, 'images', split) }),
};

const ROOT = 'annotations';

/** Shapes that are no object, and why. */
const REFUSED: Readonly<Record<string, string>> = {
  tag: 'labels of whole images have no place in COCO',
  polyline: 'lines have no place in COCO',
  points: 'points have no place in COCO',
  cuboid: 'cuboids have no place in COCO',
  ellipse: 'ellipses have no place in COCO; draw a polygon',
  skeleton: 'skeletons are not carried over',
};

async function openCvat(source: string, { images, split = DEFAULT_SPLIT, classes }: ReadOptions): Promise<LabelSet> {
  const finder = new ImageFinder(images);
  const splits: LabelSplit[] = [{ name: split, images: (losses) => readImages(source, finder, losses) }];
  const listed = classes ?? labelsOf(source);
  return { categories: listed ?? (await usedCategories(splits, new Losses())), splits };
}

/** The labels of the task, the job or the project, which stand before the first image. */
function labelsOf(file: string): string[] | undefined {
  for (const element of readXml(file, ROOT)) {
    if (element.name === 'image') return undefined;
    if (element.name !== 'meta') continue;
    const holder = ['task', 'job', 'project']
      .map((name) => childOf(element, name))
      .find((found) => found !== undefined);
    const labels = childOf(holder ?? element, 'labels')?.children ?? [];
    const names = labels.flatMap((label) => childOf(label, 'name')?.text ?? []);
    return names.length === 0 ? undefined : names;
  }
  return undefined;
}

async function* readImages(file: string, finder: ImageFinder, losses: Losses): AsyncGenerator<LabelledImage> {
  for (const element of readXml(file, ROOT)) {
    if (element.name === 'track') {
      throw new FileError(`${file}:${element.line}`, 'expected "CVAT for images 1.1", received tracks of a video; export the task as images'); // prettier-ignore
    }
    if (element.name !== 'image') continue;
    const { name } = element.attributes;
    const record = `image ${element.attributes['id'] ?? name}`;
    if (!name) throw new FileError(`${file}:${element.line}`, `${record}: name: expected text, received none`);
    const side = (of: 'width' | 'height'): number => parseNumber(element.attributes[of], `${file}: ${record}: ${of}`);
    const size = { width: side('width'), height: side('height') };
    const image = await finder.locate({ name, size, file, record }, losses);
    if (image !== undefined)
      yield { ...image, file, record, objects: readShapes(element, image, file, record, losses) };
  }
}

/** A shape with its place among the shapes of its image. */
interface Placed {
  readonly shape: XmlElement;
  readonly record: string;
}

function readShapes(
  { children }: XmlElement,
  size: { readonly width: number; readonly height: number },
  file: string,
  image: string,
  losses: Losses,
): LabelledObject[] {
  const shapes = children
    .map((shape, i): Placed => ({ shape, record: `${shape.name} ${i + 1}` }))
    .filter(({ shape, record }) => isKept(shape, { file, record: `${image}, ${record}` }, losses));
  return groupsOf(shapes).map((group) => {
    const [first] = group as [Placed];
    const where = `${file}:${first.shape.line}: ${image}, ${first.record}`;
    const common = describeObject(first, { file, record: `${image}, ${first.record}` }, losses);
    if (first.shape.name === 'box') return { ...common, box: readBox(first.shape, where), segmentation: undefined };
    if (first.shape.name === 'polygon') {
      const polygons = group.map(({ shape }) => readPoints(shape, where));
      return { ...common, box: boundsOf(polygons), segmentation: polygons };
    }
    const runs = readRuns(first.shape, size, where);
    return { ...common, box: mask.toBbox(runs), segmentation: runs };
  });
}

function isKept({ name, attributes }: XmlElement, where: { file: string; record: string }, losses: Losses): boolean {
  const reason = !['box', 'polygon', 'mask'].includes(name)
    ? { field: name, reason: REFUSED[name] ?? 'is no shape that is known' }
    : Number(attributes['rotation'] ?? 0) !== 0
      ? { field: 'rotation', reason: 'rotated boxes have no place in COCO' }
      : attributes['outside'] === '1'
        ? { field: 'outside', reason: 'the object has left the image' }
        : undefined;
  if (reason !== undefined) losses.add('object', { ...where, ...reason });
  return reason === undefined;
}

/** Polygons of one label and group are the parts of one object; all other shapes stand alone. */
function groupsOf(shapes: readonly Placed[]): Placed[][] {
  const groups = new Map<string, Placed[]>();
  shapes.forEach((placed, i) => {
    const { name, attributes } = placed.shape;
    const number = attributes['group_id'];
    const isPart = name === 'polygon' && number !== undefined && number !== '0';
    const key = isPart ? JSON.stringify([attributes['label'], number]) : `${i}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [placed]);
    else group.push(placed);
  });
  return [...groups.values()];
}

function describeObject(
  { shape, record }: Placed,
  where: { file: string; record: string },
  losses: Losses,
): Pick<LabelledObject, 'category' | 'crowd' | 'attributes' | 'record'> {
  const { label, occluded, group_id, z_order } = shape.attributes;
  if (!label) throw new FileError(where.file, `${where.record}: label: expected text, received none`);
  if (group_id !== undefined && group_id !== '0' && shape.name !== 'polygon')
    losses.add('field', { ...where, field: 'group_id', reason: 'COCO has no groups of objects' });
  if (z_order !== undefined && z_order !== '0')
    losses.add('field', { ...where, field: 'z_order', reason: 'COCO has no order of objects' });
  const named = shape.children.filter(({ name }) => name === 'attribute');
  const own = named.map(({ attributes, text }) => [attributes['name'] ?? '', valueOf(text)] as const);
  const attributes: Attributes = { ...(occluded === '1' && { occluded: true }), ...Object.fromEntries(own) };
  const { iscrowd, ...rest } = attributes;
  return { category: label, crowd: iscrowd === true || iscrowd === '1' || iscrowd === 1, attributes: rest, record };
}

const valueOf = (text: string): string | boolean => (text === 'true' ? true : text === 'false' ? false : text);

function readBox({ attributes }: XmlElement, where: string): LabelledObject['box'] {
  const corner = (name: string): number => parseNumber(attributes[name], `${where}: ${name}`);
  const [left, top] = [corner('xtl'), corner('ytl')];
  return [tidy(left), tidy(top), tidy(corner('xbr') - left), tidy(corner('ybr') - top)];
}

function readPoints({ attributes }: XmlElement, where: string): number[] {
  const points = (attributes['points'] ?? '').split(';').map((pair) => pair.split(','));
  if (points.length < 3) throw new FileError(where, `points: expected at least 3, received ${points.length}`);
  return points.flatMap((pair) => {
    if (pair.length === 2) return pair.map((value) => tidy(parseNumber(value, `${where}: points`)));
    throw new FileError(where, `points: expected x,y;x,y, received ${JSON.stringify(pair.join(','))}`);
  });
}

/** Run lengths row by row over the mask's own box, background first. */
function readRuns(
  { attributes }: XmlElement,
  { width, height }: { readonly width: number; readonly height: number },
  where: string,
): Rle {
  const side = (name: string): number => parseNumber(attributes[name], `${where}: ${name}`);
  const own = { left: side('left'), top: side('top'), width: side('width'), height: side('height') };
  const isInside =
    Object.values(own).every((value) => Number.isInteger(value) && value >= 0) &&
    own.left + own.width <= width &&
    own.top + own.height <= height;
  if (!isInside) throw new FileError(where, `expected a mask inside of ${width}x${height} pixels`);
  requireSmall(own, where);
  const data = new Uint8Array(own.width * own.height);
  let [at, value] = [0, 0];
  for (const text of (attributes['rle'] ?? '').split(',')) {
    const run = parseNumber(text, `${where}: rle`);
    if (!(Number.isInteger(run) && run >= 0 && at + run <= data.length))
      throw new FileError(
        where,
        `rle: expected whole runs of ${data.length} pixels, received ${text.trim()} after ${at}`,
      );
    data.fill(value, at, at + run);
    at += run;
    value = 1 - value;
  }
  return placeRuns({ data, ...own }, { width, height });
}

async function writeCvat(
  { categories, splits }: LabelSet,
  out: string,
  losses: Losses,
  { boxesOnly = false },
): Promise<void> {
  for (const { name, images } of splits) {
    const file = new PendingFile(join(out, `${name}.xml`));
    try {
      const labels = categories.map((category) => `<label><name>${escapeXml(category)}</name></label>`).join('');
      file.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n');
      file.write(`  <meta><task><labels>${labels}</labels></task></meta>\n`);
      let id = 0;
      for await (const image of images(losses)) {
        placeImage(image, join(out, 'images', name));
        file.write(describeImage(image, id++, boxesOnly, losses));
      }
      file.write('</annotations>\n');
      file.complete();
    } finally {
      file.discard();
    }
  }
}

function describeImage(image: LabelledImage, id: number, boxesOnly: boolean, losses: Losses): string {
  const { name, width, height, objects } = image;
  const shapes = objects.flatMap((object, i) => {
    const where = { file: image.file, record: [image.record, object.record].filter((part) => part !== '').join(', ') };
    return describeShapes(object, i + 1, boxesOnly, where, losses);
  });
  const attributes = `id="${id}" name="${escapeXml(name)}" width="${width}" height="${height}"`;
  return `  <image ${attributes}>\n${shapes.map((shape) => `    ${shape}\n`).join('')}  </image>\n`;
}

function describeShapes(
  object: LabelledObject,
  group: number,
  boxesOnly: boolean,
  where: { file: string; record: string },
  losses: Losses,
): string[] {
  const { category, box, crowd, attributes } = object;
  const segmentation = boxesOnly ? undefined : object.segmentation;
  const { occluded, ...rest } = attributes;
  const isOccluded = occluded === true || occluded === 1;
  const named: Attributes = { ...rest, ...(!isOccluded && occluded !== undefined && { occluded }), ...(crowd && { iscrowd: true }) }; // prettier-ignore
  const inner = Object.entries(named)
    .map(([name, value]) => `<attribute name="${escapeXml(name)}">${escapeXml(value)}</attribute>`)
    .join('');
  const start = `label="${escapeXml(category)}" source="manual" occluded="${Number(isOccluded)}"`;
  const shape = (name: string, place: string): string => `<${name} ${start} ${place} z_order="0">${inner}</${name}>`;
  const [x, y, w, h] = box;
  if (segmentation === undefined)
    return [shape('box', `xtl="${x}" ytl="${y}" xbr="${tidy(x + w)}" ybr="${tidy(y + h)}"`)];
  const polygons = Array.isArray(segmentation) ? (segmentation as number[][]) : undefined;
  const drawn = polygons === undefined ? mask.toBbox(segmentation as Rle) : boundsOf(polygons);
  if (drawn.some((value, i) => Math.abs(value - box[i]!) > 1))
    losses.add('field', { ...where, field: 'bbox', reason: 'CVAT takes the box of a mask from the mask' });
  if (polygons === undefined) return [shape('mask', runsOf(segmentation as Rle, `${where.file}: ${where.record}`))];
  const grouped = polygons.length > 1 ? ` group_id="${group}"` : '';
  return polygons.map((polygon) => shape('polygon', `points="${pointsOf(polygon)}"${grouped}`));
}

const pointsOf = (polygon: readonly number[]): string =>
  Array.from({ length: polygon.length / 2 }, (_, i) => `${polygon[2 * i]},${polygon[2 * i + 1]}`).join(';');

function runsOf(runs: Rle, where: string): string {
  const { data, left, top, width, height } = cropRuns(runs, where);
  const lengths: number[] = [];
  let [value, run] = [0, 0];
  for (const next of data) {
    if (next !== value) [value, run] = [next, lengths.push(run) * 0];
    run++;
  }
  lengths.push(run);
  return `rle="${lengths.join(', ')}" left="${left}" top="${top}" width="${width}" height="${height}"`;
}
