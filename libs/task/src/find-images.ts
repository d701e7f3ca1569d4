/** Which images a user means: files, folders with all that lies below them, and patterns such as `photos/*.jpg`. */
import { readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { extname, isAbsolute, join } from 'node:path';
import { UsageError } from '@pyramidal/config';
import { FileError, isSystemError } from '@pyramidal/files';
import { globSync, isDynamicPattern } from 'tinyglobby';

const EXTENSIONS = ['.jpg', '.jpeg', '.png', '.webp', '.tif', '.tiff'];

/**
 * The images that files, folders and patterns name, those of a folder by name.
 * @throws FileError for what is not there; UsageError for a folder or a pattern without an image.
 */
export function findImages(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return imagesOfPattern(path);
    if (found.isDirectory()) return some(imagesBelow(path), path, 'a folder with images');
    requireFile(found, path);
    return [path];
  });
}

function imagesOfPattern(pattern: string): string[] {
  if (!isDynamicPattern(pattern)) throw new FileError(pattern, 'no such file or folder');
  return some(
    // Links could make any number of paths; shells do not follow them below `**` either.
    globSync(pattern, { absolute: isAbsolute(pattern), followSymbolicLinks: false })
      .filter(isImage)
      .sort(),
    pattern,
    'a pattern that images match',
  );
}

/**
 * Links are followed, since collections of pictures often consist of them, but each folder is looked into once, by the first of its
 * names: links may lead in circles, and a few of them can make a folder of any number of paths.
 */
function imagesBelow(folder: string): string[] {
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
      else if (isImage(path)) found.push(path);
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

const isImage = (name: string): boolean => EXTENSIONS.includes(extname(name).toLowerCase());

function some(images: string[], path: string, expected: string): string[] {
  if (images.length > 0) return images;
  throw new UsageError(`${path}: expected ${expected} (${EXTENSIONS.join(', ')}), found none`);
}

/** A pipe or a device would make the reader wait for ever. */
function requireFile(found: Stats, path: string): void {
  if (!found.isFile()) throw new UsageError(`${path}: expected an image, or a folder with images`);
}
