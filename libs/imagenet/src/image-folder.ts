/** Classification datasets in the ImageFolder layout, listed without decoding anything. */
import { readdir } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { explainFileError, FileError, isThere } from '@pyramidal/files';
import { IMAGE_EXTENSIONS, isImageName } from '@pyramidal/images';
import { partOf, type SplitPart } from '@pyramidal/loading';
import { readClassIndex, type ImageClass } from './class-index';

/** Class lists that are read by themselves when they lie beside the splits. */
const CLASS_FILES = ['classes.json', 'classes.txt'];

export interface ImageSample {
  readonly file: string;
  readonly label: number;
}

export interface ImageSplit {
  readonly name: string;
  /** Sorted by label, then by file name. */
  readonly samples: readonly ImageSample[];
  /** Images of each class, by label. */
  readonly counts: readonly number[];
}

export interface ImageFolder {
  readonly root: string;
  readonly classes: readonly ImageClass[];
  readonly splits: ReadonlyMap<string, ImageSplit>;
  /** What people should know of the dataset before they use it, one line each. */
  readonly notes: readonly string[];
}

export interface ImageFolderOptions {
  /** Folders of `root` that are splits; those of `train` and `val` that exist, unless told. */
  readonly splits?: readonly string[];
  /** Gives the labels. Without one, and without a `classes.json` or `classes.txt` in `root`, the sorted folder names do. */
  readonly classIndex?: string;
}

/**
 * Lists a dataset in the ImageFolder layout, `root/<split>/<class>/*.jpg`, without decoding any image; a class may have folders
 * of its own.
 * @throws one line naming the folder, for a split or a class without images, a class that one split has and another lacks
 * (unless a class list was given), fewer than two classes, a folder that the class list does not know, an unreadable folder.
 */
export async function openImageFolder(root: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  const names = options.splits ?? (await findSplits(root));
  const listings = new Map<string, Map<string, string[]>>();
  const notes: string[] = [];
  for (const name of names) listings.set(name, await listClasses(join(root, name), notes));
  const indexFile = options.classIndex ?? CLASS_FILES.map((file) => join(root, file)).find(isThere);
  if (indexFile === undefined) requireSameClasses(root, listings);
  const classes = indexFile === undefined ? sortedClasses(listings) : await readClassIndex(indexFile);
  const splits = new Map<string, ImageSplit>();
  for (const [name, listing] of listings) {
    splits.set(name, labelSplit(name, join(root, name), listing, classes, indexFile));
  }
  if (classes.length < 2)
    throw new Error(`${indexFile ?? root}: expected two classes or more, found ${classes.length}`);
  return { root, classes, splits, notes: [...notes, ...emptyClasses(classes, splits, indexFile)] };
}

/** The split of this name, or an error that lists those there are. */
export function requireSplit(folder: ImageFolder, name: string): ImageSplit {
  const split = folder.splits.get(name);
  if (split === undefined) {
    throw new Error(`${folder.root}: expected a split '${name}', found ${[...folder.splits.keys()].join(', ')}`);
  }
  return split;
}

/**
 * One side of a split of a folder's images, class by class: a class of two images or more has some on either side.
 * @throws Error naming the folder if no class has two images.
 */
export function partOfSplit({ root }: ImageFolder, { name, samples, counts }: ImageSplit, part: SplitPart): ImageSplit {
  const keyOf = ({ file }: ImageSample): string => relative(join(root, name), file).split(sep).join('/');
  const taken = partOf(samples, part, { keyOf, groupOf: ({ label }) => label });
  const own = counts.map(() => 0);
  for (const { label } of taken) own[label]!++;
  return { name, samples: taken, counts: own };
}

async function findSplits(root: string): Promise<string[]> {
  const found = await subfolders(root);
  const splits = ['train', 'val'].filter((name) => found.includes(name));
  if (splits.length === 0) {
    throw new Error(
      `${root}: expected a folder 'train' or 'val', found ${found.slice(0, 5).join(', ') || 'no folder'}`,
    );
  }
  return splits;
}

/** Files of each class folder; what is left out is noted. */
async function listClasses(split: string, notes: string[]): Promise<Map<string, string[]>> {
  const classes = new Map<string, string[]>();
  const others: string[] = [];
  for (const name of await subfolders(split)) {
    const folder = join(split, name);
    const files = await filesBelow(folder);
    const images = files.filter(isImageName);
    others.push(...files.filter((file) => !isImageName(file)).map((file) => join(name, file)));
    if (images.length === 0) {
      throw new Error(`${folder}: class '${name}' has no images (${IMAGE_EXTENSIONS.join(', ')})`);
    }
    classes.set(name, images);
  }
  if (classes.size === 0) throw new Error(`${split}: has no images; expected a folder for each class`);
  const loose = (await entries(split)).filter((entry) => entry.isFile() && !entry.name.startsWith('.'));
  others.push(...loose.map((entry) => entry.name));
  if (others.length > 0) {
    notes.push(`${split}: ${others.length} files are no images of a class that are read, the first one ${others[0]}`);
  }
  for (const [one, other] of sameButForCase([...classes.keys()])) {
    notes.push(`${split}: '${one}' and '${other}' are two classes, whose names differ in capital letters alone`);
  }
  return classes;
}

function requireSameClasses(root: string, listings: Map<string, Map<string, string[]>>): void {
  for (const [name, listing] of listings) {
    for (const [other, otherListing] of listings) {
      const missing = [...listing.keys()].filter((folder) => !otherListing.has(folder));
      if (missing.length > 0) {
        const list = missing.slice(0, 5).join("', '");
        const [pair] = sameButForCase([missing[0]!, ...otherListing.keys()]);
        throw new Error(
          `${join(root, other)}: lacks ${missing.length} of the ${listing.size} classes in '${name}': '${list}'` +
            `${missing.length > 5 ? ', ...' : ''}${pair ? ` (it has '${pair[1]}')` : ''}; add them, or give a class list`,
        );
      }
    }
  }
}

/** Pairs of names that are equal in lower case. */
function sameButForCase(names: readonly string[]): [string, string][] {
  const byLowerCase = new Map<string, string>();
  return names.flatMap((name): [string, string][] => {
    const lower = name.toLowerCase();
    const other = byLowerCase.get(lower);
    byLowerCase.set(lower, other ?? name);
    return other === undefined ? [] : [[other, name]];
  });
}

/** A class list may name classes that a split has no folder for: nothing of them is learned, or measured. */
function emptyClasses(
  classes: readonly ImageClass[],
  splits: ReadonlyMap<string, ImageSplit>,
  indexFile: string | undefined,
): string[] {
  return [...splits.values()].flatMap(({ name, counts }) => {
    const empty = classes.filter(({ index }) => counts[index] === 0);
    if (empty.length === 0) return [];
    const list = `${empty.length} of the ${classes.length} classes of ${basename(indexFile!)}`;
    return [`${name}: has no images of ${list}, the first one '${empty[0]!.folder}'`];
  });
}

function sortedClasses(listings: Map<string, Map<string, string[]>>): ImageClass[] {
  const [first] = listings.values();
  return [...first!.keys()].sort(byCodeUnits).map((folder, index) => ({ index, folder, name: folder }));
}

function labelSplit(
  name: string,
  path: string,
  listing: Map<string, string[]>,
  classes: readonly ImageClass[],
  indexFile: string | undefined,
): ImageSplit {
  const labels = new Map(classes.map(({ folder, index }) => [folder, index]));
  const counts = new Array<number>(classes.length).fill(0);
  const samples: ImageSample[] = [];
  for (const [folder, files] of listing) {
    const label = labels.get(folder);
    if (label === undefined) {
      throw new Error(
        `${join(path, folder)}: class '${folder}' is not in ${basename(indexFile!)} (${classes.length} classes)`,
      );
    }
    counts[label] = files.length;
    for (const file of files) samples.push({ file: join(path, folder, file), label });
  }
  samples.sort((a, b) => a.label - b.label);
  return { name, samples, counts };
}

/** Visible files of a folder, then those of the folders below it, each list sorted, as torchvision walks. */
async function filesBelow(folder: string): Promise<string[]> {
  const visible = (await entries(folder)).filter(({ name }) => !name.startsWith('.'));
  const namesOf = (isFolder: boolean): string[] => {
    const chosen = visible.filter((entry) => entry.isDirectory() === isFolder);
    return chosen.map(({ name }) => name).sort(byCodeUnits);
  };
  const found = namesOf(false);
  for (const name of namesOf(true)) {
    for (const file of await filesBelow(join(folder, name))) found.push(join(name, file));
  }
  return found;
}

async function subfolders(folder: string): Promise<string[]> {
  const found = (await entries(folder)).filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  return found
    .map((entry) => entry.name)
    .filter((name) => !name.startsWith('.'))
    .sort(byCodeUnits);
}

async function entries(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOENT: 'no such folder',
      ENOTDIR: 'is not a folder',
      EACCES: 'no permission to read it',
    };
    throw new FileError(folder, reasons[code ?? ''] ?? explainFileError(error), error);
  }
}

/** The order that Python's `sorted` gives, which the published label numbers follow. */
const byCodeUnits = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
