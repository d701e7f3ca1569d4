/** The cache's folder of downloads, which lie there until they are unpacked; a list beside it names them. */
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isThere, makeFolder, readText, writeFileAtomically } from '@pyramidal/files';
import { makeDraft, removeDrafts } from './own-folder';

const folderOf = (cache: string): string => join(cache, 'downloads');
const listOf = (cache: string): string => join(cache, 'downloads.txt');

/** Where a file of that name is downloaded to; `removeDownloads` will remove it and its unfinished part. */
export function downloadFile(cache: string, name: string): string {
  makeFolder(folderOf(cache));
  const names = listed(cache);
  if (!names.includes(name)) writeFileAtomically(listOf(cache), [...names, name].map((line) => `${line}\n`).join(''));
  return join(folderOf(cache), name);
}

/** A new folder for downloads whose names are not known beforehand. */
export const downloadDraft = (cache: string): Promise<string> => makeDraft(folderOf(cache));

/** Removes what was downloaded here, and nothing else. */
export async function removeDownloads(cache: string): Promise<void> {
  for (const name of listed(cache)) {
    for (const file of [name, `${name}.part`]) await rm(join(folderOf(cache), file), { force: true });
  }
  await removeDrafts(folderOf(cache));
  await rm(listOf(cache), { force: true });
}

function listed(cache: string): string[] {
  if (!isThere(listOf(cache))) return [];
  const names = readText(listOf(cache)).split('\n');
  return names.filter((name) => name !== '' && name !== '..' && basename(name) === name);
}
