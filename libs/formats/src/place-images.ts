/** Images beside the labels that are written: second names for the same files, copies only where a file system has none. */
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { duplicateFile, FileError, makeFolder } from '@pyramidal/files';
import type { LabelledImage } from './label-set';

/** Puts an image into a folder under its own name, if its file is known. */
export function placeImage({ name, source }: LabelledImage, folder: string): void {
  if (source === undefined) return;
  const target = join(folder, name);
  makeFolder(dirname(target));
  duplicateFile(realpathSync(source), target);
}

/** The label file of an image: its own name with another ending. */
export const labelName = (name: string, extension: string): string => `${name.replace(/\.[^./]*$/, '')}${extension}`;

/** Label files by name: two images that differ in their ending alone would share one. */
export class LabelNames {
  private readonly taken = new Map<string, string>();

  constructor(private readonly extension: string) {}

  /** @throws FileError naming both images. */
  of({ name, file }: LabelledImage): string {
    const label = labelName(name, this.extension);
    const other = this.taken.get(label);
    if (other !== undefined) {
      throw new FileError(file, `${name}: expected a name that no other image has, ${other} would share ${label}`);
    }
    this.taken.set(label, name);
    return label;
  }
}
