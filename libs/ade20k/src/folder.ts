/** Segmentation datasets in ADE20K's layout, listed without decoding anything. */
import { readdir } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { explainFileError, FileError, isThere } from '@pyramidal/files';
import { IMAGE_EXTENSIONS, isImageName } from '@pyramidal/images';
import { partOf, type SplitPart } from '@pyramidal/loading';
import { ade20kClasses, readClasses, type SegmentationClass } from './classes';
import { classesOfColours, type NamedColours } from './colour-table';

/** Class lists that are read by themselves when they lie in the root. */
const CLASS_FILES = ['classes.json', 'classes.txt'];

export interface SegmentationSample {
  /** Of the image below its split's folder, without the extension; its folders end in `/`. */
  readonly name: string;
  readonly image: string;
  readonly label: string;
}

export interface SegmentationSplit {
  readonly name: string;
  /** Sorted by file name. */
  readonly samples: readonly SegmentationSample[];
  /** What people should know of its folders, one line each: files that are left out. */
  readonly notes: readonly string[];
}

export interface SegmentationFolder {
  readonly root: string;
  readonly classes: readonly SegmentationClass[];
  /** Whether no class list was found, so that the classes are ADE20K's. */
  readonly isDefaultClasses: boolean;
  readonly splits: ReadonlyMap<string, SegmentationSplit>;
}

/** Where the classes come from; else they are ADE20K's 150. */
export interface ClassSource {
  /** Class list; else `classes.json` or `classes.txt` in the root. */
  readonly classList?: string | undefined;
  /** The classes with the colours that labels show them in, in place of a class list. */
  readonly colours?: NamedColours | undefined;
}

export interface SegmentationFolderOptions extends ClassSource {
  /** Folders below those of the images and the labels; ADE20K's are `training` and `validation`. */
  readonly splits: readonly string[];
  /** Where the images lie below the root; 'images' unless told. */
  readonly images?: string;
  /** Where the label PNGs lie, under the images' names; 'annotations' unless told. */
  readonly annotations?: string;
}

/**
 * Lists a dataset in ADE20K's layout, `root/images/<split>/*.jpg` and `root/annotations/<split>/*.png`, without decoding
 * anything; images may lie in folders of their own below that of the split, and so do their labels.
 * @throws Error, one line, for a folder that is not there, a split without images, an image without a label.
 */
export async function openSegmentationFolder(
  root: string,
  { splits, images = 'images', annotations = 'annotations', ...source }: SegmentationFolderOptions,
): Promise<SegmentationFolder> {
  const listed = new Map<string, SegmentationSplit>();
  for (const name of splits) {
    listed.set(name, await listSplit(name, join(root, images, name), join(root, annotations, name)));
  }
  const isDefaultClasses = source.colours === undefined && classFileOf(root, source.classList) === undefined;
  return { root, classes: await classesOf(root, source), isDefaultClasses, splits: listed };
}

/** One side of a split of a folder's images, by their names. @throws RangeError for a single image. */
export function partOfSplit({ name, samples, notes }: SegmentationSplit, part: SplitPart): SegmentationSplit {
  return { name, samples: partOf(samples, part, { keyOf: (sample) => sample.name }), notes };
}

/** The dataset's classes alone. */
export async function classesOf(root: string, { classList, colours }: ClassSource = {}): Promise<SegmentationClass[]> {
  if (colours !== undefined) return classesOfColours(colours);
  const file = classFileOf(root, classList);
  return file === undefined ? ade20kClasses() : readClasses(file);
}

function classFileOf(root: string, classList: string | undefined): string | undefined {
  return classList ?? CLASS_FILES.map((name) => join(root, name)).find(isThere);
}

async function listSplit(name: string, images: string, labels: string): Promise<SegmentationSplit> {
  const found = await filesIn(images);
  const files = found.filter(isImageName);
  if (files.length === 0) throw new Error(`${images}: split '${name}' has no images (${IMAGE_EXTENSIONS.join(', ')})`);
  const known = new Set(await filesIn(labels));
  const samples = files.map((file) => {
    const stem = file.slice(0, -extname(file).length);
    const label = `${stem}.png`;
    if (!known.has(label))
      throw new Error(`${join(labels, label)}: no such file, expected a label for ${join(images, file)}`);
    return { name: stem, image: join(images, file), label: join(labels, label) };
  });
  const used = new Set(samples.map(({ label }) => label));
  const unused = [...known].filter((file) => !used.has(join(labels, file)));
  const others = found.filter((file) => !isImageName(file));
  const twins = files.filter((_, i) => samples[i]!.name === samples[i - 1]?.name);
  const notes = [
    ...told(images, twins, 'share their name, and so their label, with another'),
    ...told(images, others, 'are no images that are read'),
    ...told(labels, unused, 'are labels of no image'),
  ];
  return { name, samples, notes };
}

function told(folder: string, files: readonly string[], reason: string): string[] {
  return files.length === 0 ? [] : [`${folder}: ${files.length} files ${reason}, the first one ${files[0]}`];
}

/** Files of a folder and those below it, `/` between the folders, in the order that Python's `sorted` gives; no hidden ones. */
async function filesIn(folder: string): Promise<string[]> {
  const listing = readdir(folder, { withFileTypes: true, recursive: true });
  const entries = await listing.catch((error: NodeJS.ErrnoException) => {
    // Of a listing that goes below, the folder that refused.
    const path = error.path ?? folder;
    throw new FileError(path, error.code === 'ENOENT' ? 'no such folder' : explainFileError(error), error);
  });
  const files = entries.filter((entry) => !entry.isDirectory());
  const paths = files.map(({ parentPath, name }) => relative(folder, join(parentPath, name)).split(sep));
  const names = paths.filter((path) => path.every((part) => !part.startsWith('.'))).map((path) => path.join('/'));
  return names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
