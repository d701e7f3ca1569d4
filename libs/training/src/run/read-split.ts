/** What a run says of its split, for those who measure its checkpoints later. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '@pyramidal/files';
import { splitRecord } from './records';
import type { SplitRecord } from './run-folder';

/** Where a run keeps it. */
const splitFile = (folder: string): string => join(folder, 'split.json');

/** How the training images of a run were split; undefined for a folder that holds no such run. @throws FileError if the record is damaged. */
export function readSplit(folder: string): SplitRecord | undefined {
  return existsSync(splitFile(folder)) ? readJson(splitFile(folder), splitRecord) : undefined;
}
