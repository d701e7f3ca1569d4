/** The folder that snippets run in: toy data under the names that the documents use. */
import { copyFileSync, cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeClassificationSet, makeDetectionSet, makeSegmentationSet } from '@pyramidal/samples';

/**
 * Writes into `folder`:
 * - `data/flowers`: an ImageFolder set, `train` and `val` with a folder for each class;
 * - `data/street`: a set in COCO's format, `annotations/instances_{train,val}.json`, `train/`, `val/`;
 * - `data/scenes`: a set in ADE20K's layout, `images/` and `annotations/`, each with `training/` and `validation/`;
 * - `photo.jpg`: one of its pictures.
 */
export async function makeStage(folder: string): Promise<void> {
  const size = { seed: 0, train: 8, val: 4, size: 64 };
  mkdirSync(join(folder, 'data'), { recursive: true });
  await makeClassificationSet(join(folder, 'data', 'flowers'), { ...size, val: 8 }); // a picture of each kind
  await makeSegmentationSet(join(folder, 'data', 'scenes'), size);
  await makeDetectionSet(join(folder, 'data', 'street'), size);
  const pictures = join(folder, 'data', 'street', 'val');
  copyFileSync(join(pictures, readdirSync(pictures)[0]!), join(folder, 'photo.jpg'));
}

/** Each document runs in a copy, so that none sees what another wrote. */
export function copyStage(stage: string, folder: string): void {
  cpSync(stage, folder, { recursive: true });
}
