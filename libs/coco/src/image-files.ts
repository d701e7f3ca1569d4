/** Where the images of an annotation file lie: below their folder, and nowhere else. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { CocoFormatError } from '@cocoeval/ts';
import { explainFileError, FileError } from '@pyramidal/files';
import { isImageName } from '@pyramidal/images';

/**
 * The path of an image.
 * @param where names the record in errors.
 * @throws CocoFormatError for a name that leads out of the folder.
 */
export function pathOf(folder: string, name: string, where: string): string {
  const path = join(folder, name);
  const inside = relative(folder, path);
  const leaves = isAbsolute(name) || inside === '..' || inside.startsWith(`..${sep}`) || name.includes('\0');
  if (!leaves) return path;
  throw new CocoFormatError(
    `${where}: file_name: expected a path below the folder of the images, received ${JSON.stringify(name)}`,
  );
}

/**
 * Checks that all images are there.
 * @returns notes for people: images of the folder that no record names.
 * @throws FileError naming the folder and the first image that is missing.
 */
export async function requireFiles(folder: string, files: readonly string[]): Promise<string[]> {
  const present = new Set(await listFolder(folder));
  const names = files.map((file) => relative(folder, file));
  // Names with a folder of their own are looked up one by one.
  const missing = files.filter((file, i) => !present.has(names[i]!) && !existsSync(file));
  if (missing.length > 0) {
    throw new FileError(
      folder,
      `${missing.length} of ${files.length} images are not there, the first one ${missing[0]}`,
    );
  }
  for (const name of names) present.delete(name);
  const unnamed = [...present].filter(isImageName).sort();
  if (unnamed.length === 0) return [];
  return [`${folder}: ${unnamed.length} images are in no record of the annotations, the first one ${unnamed[0]}`];
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw new FileError(folder, explainFileError(error), error);
  }
}
