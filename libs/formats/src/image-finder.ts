/** Images by the names that labelling tools give them: with backslashes, as absolute paths of another machine, without their folder. */
import { readdirSync, realpathSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { explainFileError, FileError } from '@pyramidal/files';
import { BrokenImageError, readImageHeader, type Size } from '@pyramidal/images';
import type { Losses } from './losses';

/** What images' files end with. */
const IMAGE = /\.(jpe?g|png|webp|gif|tiff?|bmp)$/i;

/** Paths of the files below a folder, with `/`, sorted. @throws FileError */
export function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).split(sep).join('/'))
      .sort((a, b) => (a < b ? -1 : 1));
  } catch (error) {
    throw new FileError(folder, `cannot be read: ${explainFileError(error)}`, error);
  }
}

/** An image as a label file names it. */
export interface NamedImage {
  readonly name: string;
  /** Of the labels; 0 where the format has none. */
  readonly size: Size;
  /** The file that labels it, and where in it. */
  readonly file: string;
  readonly record: string;
}

/** The image itself. */
export interface FoundImage extends Size {
  readonly name: string;
  readonly source: string | undefined;
}

export class ImageFinder {
  /** Paths by the last part of their names. */
  private readonly byName = new Map<string, string[]>();
  private readonly paths = new Set<string>();

  /** @param folder of the images; without it names are taken as they are, and no image is looked at. */
  constructor(readonly folder?: string) {
    if (folder === undefined) return;
    for (const path of filesBelow(folder)) {
      if (!IMAGE.test(path)) continue;
      this.paths.add(path);
      const name = keyOf(path);
      const alike = this.byName.get(name);
      if (alike === undefined) this.byName.set(name, [path]);
      else alike.push(path);
    }
  }

  /** Images below the folder, sorted. */
  get all(): readonly string[] {
    return [...this.paths];
  }

  /**
   * The image below the folder whose path has most in common with a name, from the end on.
   * @returns undefined if there is none.
   * @throws FileError if two fit as well.
   */
  find(name: string, where: string): string | undefined {
    const wanted = asPath(name);
    if (this.paths.has(wanted)) return wanted;
    const candidates = this.byName.get(keyOf(wanted)) ?? [];
    const common = candidates.map((path) => commonEnd(path, wanted));
    const best = candidates.filter((_, i) => common[i] === Math.max(...common));
    if (best.length <= 1) return best[0];
    throw new FileError(where, `${JSON.stringify(name)}: expected one image, found ${best[0]} and ${best[1]}`);
  }

  /**
   * Finds an image and compares its size with that of its labels.
   * @returns undefined, and notes the loss, if it is not there or does not fit.
   */
  async locate({ name, size, file, record }: NamedImage, losses: Losses): Promise<FoundImage | undefined> {
    const lose = (field: string, reason: string): undefined => {
      losses.add('image', { file, record, field, reason });
    };
    if (this.folder === undefined) {
      if (size.width === 0 || size.height === 0)
        return lose('size', 'the labels say none, and without the folder of the images none is known');
      if (!isSize(size)) return lose('size', `expected whole pixels, received ${size.width}x${size.height}`);
      return { name: asPath(name), source: undefined, ...size };
    }
    const found = this.find(name, record === '' ? file : `${file}: ${record}`);
    if (found === undefined) return lose('image', 'is not in the folder of the images');
    const source = join(this.folder, found);
    return this.measure(found, source, size, lose, (field, reason) =>
      losses.add('field', { file, record, field, reason }),
    );
  }

  private async measure(
    name: string,
    source: string,
    labelled: Size,
    lose: (field: string, reason: string) => undefined,
    note: (field: string, reason: string) => void,
  ): Promise<FoundImage | undefined> {
    const sizes = await sizesOf(source);
    if (typeof sizes === 'string') return lose('image', sizes);
    const { seen, stored } = sizes;
    if (labelled.width === 0 || labelled.height === 0) return { name, source, ...seen };
    if (isSame(labelled, seen)) return { name, source, ...seen };
    if (!isSame(labelled, stored)) return lose('size', 'the image has another size than its labels');
    note('orientation', 'labelled as the image is stored, without its EXIF turn; train with data.orientation: stored');
    return { name, source, ...stored };
  }
}

/** An image's size as people see it, turned by its EXIF tag, and as it is stored; or why it cannot be read. */
async function sizesOf(file: string): Promise<{ readonly seen: Size; readonly stored: Size } | string> {
  try {
    const { width, height, orientation } = await readImageHeader(realpathSync(file));
    const stored = { width, height };
    return { stored, seen: orientation >= 5 ? { width: height, height: width } : stored };
  } catch (error) {
    if (error instanceof BrokenImageError) return error.reason;
    throw error;
  }
}

/** A name of any system as a path below some folder. */
export function asPath(name: string): string {
  const parts = name
    .replaceAll('\\', '/')
    .replace(/^[A-Za-z]:/, '')
    .split('/');
  return parts.filter((part) => part !== '' && part !== '.' && part !== '..').join('/');
}

/** Systems write letters with marks in one or in two characters. */
const keyOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1).normalize('NFC');

/** Masks count their pixels in 31 bits. */
const isSize = ({ width, height }: Size): boolean =>
  [width, height].every((side) => Number.isInteger(side) && side > 0) && width * height < 2 ** 31;

const isSame = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height;

/** How many of the last folders and names are the same. */
function commonEnd(a: string, b: string): number {
  const [left, right] = [a, b].map((path) => path.normalize('NFC').split('/').reverse()) as [string[], string[]];
  const different = left.findIndex((part, i) => part !== right[i]);
  return different < 0 ? left.length : different;
}
