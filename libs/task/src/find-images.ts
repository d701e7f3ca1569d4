/** Which images a user means: files, folders with all that lies below them, and patterns such as `photos/*.jpg`. */
import { readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';
import { UsageError } from '@pyramidal/config';
import { FileError, isSystemError } from '@pyramidal/files';
import { IMAGE_EXTENSIONS, isImageName } from '@pyramidal/images';
import { globSync, isDynamicPattern } from 'tinyglobby';

export interface FindOptions {
  /** A folder that is passed over below those that are searched: with results of an earlier search. */
  readonly except?: string;
  /** Told of files that are left out. */
  readonly say?: (line: string) => void;
}

/**
 * The images that files, folders and patterns name, those of a folder by name. Others than the formats that are decoded are left out
 * of a folder.
 * @throws FileError for what is not there; UsageError for a folder or a pattern without an image.
 */
export function findImages(paths: readonly string[], options: FindOptions = {}): string[] {
  return paths.flatMap((path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return imagesOfPattern(path, options);
    if (found.isDirectory()) return imagesOfFolder(path, options);
    requireFile(found, path);
    return [path];
  });
}

function imagesOfPattern(pattern: string, { except }: FindOptions): string[] {
  if (!isDynamicPattern(pattern)) throw new FileError(pattern, 'no such file or folder');
  return some(
    // Links could make any number of paths; shells do not follow them below `**` either.
    globSync(pattern, { absolute: isAbsolute(pattern), followSymbolicLinks: false })
      .filter((file) => isImageName(file) && !isBelow(file, except))
      .sort(),
    pattern,
    'a pattern that images match',
  );
}

function imagesOfFolder(folder: string, { except, say }: FindOptions): string[] {
  const files = filesBelow(folder).filter((file) => isBelow(folder, except) || !isBelow(file, except));
  const others = files.filter((file) => !isImageName(file));
  if (others.length > 0) {
    say?.(
      `${folder}: ${others.length} files are no images that are read, the first one ${relative(folder, others[0]!)}`,
    );
  }
  return some(files.filter(isImageName), folder, 'a folder with images');
}

/** Whether a path is the folder or lies below it. */
function isBelow(path: string, folder: string | undefined): boolean {
  if (folder === undefined) return false;
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/**
 * Links are followed, since collections of pictures often consist of them, but each folder is looked into once, by the first of its
 * names: links may lead in circles, and a few of them can make a folder of any number of paths.
 */
function filesBelow(folder: string): string[] {
  const seen = new Set<string>();
  const found: string[] = [];
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const own = realpathSync(next);
    if (seen.has(own)) continue;
    seen.add(own);
    const folders: string[] = [];
    for (const name of readdirSync(next).sort()) {
      const path = join(next, name);
      if (name.startsWith('.')) continue;
      if (isFolder(path)) folders.push(path);
      else found.push(path);
    }
    waiting.push(...folders.reverse());
  }
  return found.sort();
}

/** A link that leads nowhere is no folder; what is no image of those that are asked for is told when it is read. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}

function some(images: string[], path: string, expected: string): string[] {
  if (images.length > 0) return images;
  throw new UsageError(`${path}: expected ${expected} (${IMAGE_EXTENSIONS.join(', ')}), found none`);
}

/** A pipe or a device would make the reader wait for ever. */
function requireFile(found: Stats, path: string): void {
  if (!found.isFile()) throw new UsageError(`${path}: expected an image, or a folder with images`);
}
