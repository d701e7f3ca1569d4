/**
 * Pascal VOC's labels (http://host.robots.ox.ac.uk/pascal/VOC): an XML file an image in `Annotations/`, lists of the splits in
 * `ImageSets/Main/`. Boxes name their first and last pixels, counted from 1.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FileError, isThere, makeFolder, readText, writeFileAtomically } from '@pyramidal/files';
import { filesBelow, ImageFinder } from './image-finder';
import {
  type Attributes,
  type Box,
  DEFAULT_SPLIT,
  firstTwice,
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
import { LabelNames, labelName, placeImage } from './place-images';
import { childOf, escapeXml, parseNumber, readXml, type XmlElement } from './xml';

export const pascalVoc: LabelFormat = {
  source: 'a folder with Annotations/*.xml (and JPEGImages/, ImageSets/Main/), or of XML files',
  open: openVoc,
  write: writeVoc,
  written: (out) => ({ source: out, images: join(out, 'JPEGImages') }),
};

/** What VOC says of an object with 0 or 1. */
const FLAGS = ['difficult', 'truncated', 'occluded'];

/** Elements of an object that are read. */
const READ = new Set(['name', 'bndbox', ...FLAGS]);

const firstExisting = (...paths: readonly string[]): string | undefined => paths.find(isThere);

async function openVoc(source: string, options: ReadOptions): Promise<LabelSet> {
  if (!existsSync(source) || !statSync(source).isDirectory())
    throw new FileError(source, 'expected a folder of XML files');
  const annotations = firstExisting(join(source, 'Annotations')) ?? source;
  const files = filesBelow(annotations).filter((name) => name.toLowerCase().endsWith('.xml'));
  if (files.length === 0) throw new FileError(annotations, 'expected XML files, found none');
  const finder = new ImageFinder(
    options.images ?? firstExisting(join(source, 'JPEGImages'), join(source, 'images')) ?? source,
  );
  const images = options.images === undefined && finder.all.length === 0 ? new ImageFinder() : finder;
  const splits = splitsOf(source, files, options).map(({ name, files: own }): LabelSplit => ({
    name,
    images: (losses) => readFiles(annotations, own, images, options.vocFirst ?? 1, losses),
  }));
  const list = firstExisting(join(source, 'classes.txt'), join(source, 'labels.txt'));
  const listed = options.classes ?? (list === undefined ? undefined : namesIn(list));
  return { categories: listed ?? (await usedCategories(splits, new Losses())), splits };
}

const namesIn = (file: string): string[] =>
  readText(file)
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Those of `ImageSets/Main`, or one of all files. */
function splitsOf(
  source: string,
  files: readonly string[],
  { split }: ReadOptions,
): { readonly name: string; readonly files: readonly string[] }[] {
  const lists = (split === undefined ? ['train', 'val', 'test'] : [split]).flatMap((name) => {
    const list = join(source, 'ImageSets/Main', `${name}.txt`);
    return isThere(list) ? [{ name, list }] : [];
  });
  if (lists.length === 0) return [{ name: split ?? DEFAULT_SPLIT, files }];
  const known = new Set(files);
  return lists.map(({ name, list }) => {
    const own = namesIn(list).map((image) => `${image}.xml`);
    const missing = own.find((file) => !known.has(file));
    if (missing !== undefined) throw new FileError(list, `${missing}: no such file in Annotations`);
    const twice = firstTwice(own);
    if (twice !== undefined) throw new FileError(list, `${twice}: expected each image once, it is listed again`);
    return { name, files: own };
  });
}

async function* readFiles(
  folder: string,
  files: readonly string[],
  finder: ImageFinder,
  first: 0 | 1,
  losses: Losses,
): AsyncGenerator<LabelledImage> {
  for (const name of files) {
    const file = join(folder, name);
    const root = { children: [...readXml(file, 'annotation')] };
    const size = childOf(root, 'size');
    const side = (of: 'width' | 'height'): number => {
      const text = size && childOf(size, of)?.text;
      return text === undefined || text === '' ? 0 : parseNumber(text, `${file}: size: ${of}`);
    };
    const named = childOf(root, 'filename')?.text || childOf(root, 'path')?.text || '';
    if (named === '') throw new FileError(file, 'expected <filename>, found none');
    const labelled = { width: side('width'), height: side('height') };
    const image = await finder.locate({ name: besideLabels(name, named), size: labelled, file, record: '' }, losses);
    if (image === undefined) continue;
    const objects = root.children.filter((child) => child.name === 'object');
    yield {
      ...image,
      file,
      record: '',
      objects: objects.flatMap((object, i) => readObject(object, file, `object ${i + 1}`, first, losses)),
    };
  }
}

/** A name without a folder lies where its labels lie: names of several folders may be the same. */
function besideLabels(labels: string, name: string): string {
  const folder = dirname(labels);
  return folder === '.' || /[\\/]/.test(name) ? name : `${folder}/${name}`;
}

function readObject(element: XmlElement, file: string, record: string, first: 0 | 1, losses: Losses): LabelledObject[] {
  const where = `${file}:${element.line}: ${record}`;
  const category = childOf(element, 'name')?.text ?? '';
  if (category === '') throw new FileError(where, 'expected <name>, found none');
  const box = childOf(element, 'bndbox');
  if (box === undefined) {
    if (childOf(element, 'robndbox') === undefined) throw new FileError(where, 'expected <bndbox>, found none');
    losses.add('object', { file, record, field: 'robndbox', reason: 'rotated boxes have no place in COCO' });
    return [];
  }
  const corner = (name: string): number => parseNumber(childOf(box, name)?.text, `${where}: ${name}`);
  const [left, top, right, bottom] = ['xmin', 'ymin', 'xmax', 'ymax'].map(corner) as [number, number, number, number];
  if (first === 1 && (left < 1 || top < 1)) {
    throw new FileError(
      where,
      `expected corners from 1 on, as Pascal VOC counts, received ${Math.min(left, top)}; --voc-from-0 reads those that count from 0`,
    );
  }
  const polygon = childOf(element, 'polygon');
  if (polygon !== undefined)
    losses.add('mask', { file, record, field: 'polygon', reason: 'Pascal VOC itself has none' });
  for (const { name } of element.children) {
    if (READ.has(name) || name === 'pose' || name === 'polygon') continue;
    losses.add('field', { file, record, field: name, reason: 'has no place in COCO' });
  }
  const flags = FLAGS.flatMap((name) =>
    ['1', 'true'].includes(childOf(element, name)?.text ?? '') ? [[name, true]] : [],
  );
  const attributes = Object.fromEntries(flags) as Attributes;
  const corners: Box = [tidy(left - first), tidy(top - first), tidy(right - left + first), tidy(bottom - top + first)];
  return [{ category, box: corners, segmentation: undefined, crowd: false, attributes, record }];
}

async function writeVoc(
  { categories, splits }: LabelSet,
  out: string,
  losses: Losses,
  { boxesOnly = false },
): Promise<void> {
  const labels = new LabelNames('.xml');
  for (const { name, images } of splits) {
    const listed: string[] = [];
    for await (const read of images(losses)) {
      // All splits share a folder, and often have the same names.
      const image = splits.length > 1 ? { ...read, name: `${name}/${read.name}` } : read;
      const file = join(out, 'Annotations', labels.of(image));
      makeFolder(dirname(file));
      placeImage(image, join(out, 'JPEGImages'));
      writeFileAtomically(file, describe(image, boxesOnly, losses));
      listed.push(labelName(image.name, ''));
    }
    makeFolder(join(out, 'ImageSets/Main'));
    writeFileAtomically(join(out, 'ImageSets/Main', `${name}.txt`), listed.map((line) => `${line}\n`).join(''));
  }
  writeFileAtomically(join(out, 'classes.txt'), categories.map((category) => `${category}\n`).join(''));
}

function describe(image: LabelledImage, boxesOnly: boolean, losses: Losses): string {
  const { name, width, height, objects } = image;
  const described = objects.flatMap((object) => describeObject(object, image, boxesOnly, losses));
  return [
    '<annotation>',
    '  <folder>JPEGImages</folder>',
    `  <filename>${escapeXml(name)}</filename>`,
    `  <size><width>${width}</width><height>${height}</height><depth>3</depth></size>`,
    '  <segmented>0</segmented>',
    ...described,
    '</annotation>\n',
  ].join('\n');
}

function describeObject(object: LabelledObject, image: LabelledImage, boxesOnly: boolean, losses: Losses): string[] {
  const { category, box, crowd, segmentation, attributes } = object;
  const where = { file: image.file, record: [image.record, object.record].filter((part) => part !== '').join(', ') };
  if (crowd) {
    losses.add('object', { ...where, field: 'iscrowd', reason: 'Pascal VOC has no regions of many objects' });
    return [];
  }
  if (segmentation !== undefined && !boxesOnly)
    losses.add('mask', { ...where, field: 'segmentation', reason: "Pascal VOC's labels of objects are boxes" });
  for (const field of Object.keys(attributes)) {
    if (!FLAGS.includes(field)) losses.add('field', { ...where, field, reason: 'Pascal VOC has no such attribute' });
  }
  const [x, y, w, h] = box;
  const corners = { xmin: x + 1, ymin: y + 1, xmax: x + w, ymax: y + h };
  const bounds = Object.entries(corners).map(([name, value]) => `<${name}>${tidy(value)}</${name}>`);
  const isSet = (name: string): number => Number(attributes[name] === true || attributes[name] === 1);
  return [
    `  <object><name>${escapeXml(category)}</name><pose>Unspecified</pose>` +
      FLAGS.map((name) => `<${name}>${isSet(name)}</${name}>`).join('') +
      `<bndbox>${bounds.join('')}</bndbox></object>`,
  ];
}
