/** Files with the same content: images that are learned from and measured on, or counted twice. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** A named list of files, such as the images of a split. */
export interface FileList {
  readonly name: string;
  readonly files: readonly string[];
}

/** Two files with the same bytes. */
export interface Duplicate {
  readonly first: { readonly list: string; readonly file: string };
  readonly second: { readonly list: string; readonly file: string };
}

/** Finds files with the content of another, each with the first of its kind. Only files of one size are read. */
export async function findDuplicates(lists: readonly FileList[]): Promise<Duplicate[]> {
  const named = lists.flatMap(({ name, files }) => files.map((file) => ({ list: name, file })));
  const bySize = new Map<number, typeof named>();
  for (const one of named) {
    const { size } = await stat(one.file);
    const alike = bySize.get(size);
    if (alike === undefined) bySize.set(size, [one]);
    else alike.push(one);
  }
  const duplicates: Duplicate[] = [];
  for (const alike of bySize.values()) if (alike.length > 1) duplicates.push(...(await sameContent(alike)));
  return duplicates;
}

async function sameContent(alike: readonly Duplicate['first'][]): Promise<Duplicate[]> {
  const firsts = new Map<string, Duplicate['first']>();
  const found: Duplicate[] = [];
  for (const second of alike) {
    const hash = await hashOf(second.file);
    const first = firsts.get(hash);
    if (first === undefined) firsts.set(hash, second);
    else found.push({ first, second });
  }
  return found;
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
