import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { RuntimeError } from '../runtime-error';
import { type InstallProgress, SILENT } from './progress';

/**
 * Unpacks the files of a wheel that are wanted, each checked against the SHA-256 in the wheel's own RECORD.
 * @returns path inside the wheel -> SHA-256, hexadecimal.
 * @throws RuntimeError when the wheel is truncated, damaged or holds no wanted file.
 */
export async function unpackWheel(
  wheel: string,
  folder: string,
  wanted: (path: string) => boolean,
  progress: InstallProgress = SILENT,
): Promise<Map<string, string>> {
  try {
    const { entries, record } = await readContents(wheel, wanted);
    const total = entries.reduce((sum, entry) => sum + entry.uncompressedSize, 0);
    let done = 0;
    const digests = await extract(wheel, folder, wanted, (bytes) => progress.bytes((done += bytes), total));
    for (const [path, digest] of digests) {
      const expected = record.get(path);
      if (expected && expected !== digest) throw new Error(`${path} does not match its checksum`);
    }
    if (digests.size === 0) throw new Error('it holds none of the files looked for');
    return digests;
  } catch (error) {
    if (isOutOfSpace(error)) throw error;
    throw new RuntimeError(`${basename(wheel)} cannot be used: ${(error as Error).message}`);
  }
}

const isOutOfSpace = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOSPC';

interface WheelContents {
  readonly entries: readonly Entry[];
  readonly record: ReadonlyMap<string, string>;
}

async function readContents(wheel: string, wanted: (path: string) => boolean): Promise<WheelContents> {
  const zip = await openPromise(wheel, { lazyEntries: true });
  const entries: Entry[] = [];
  let record = new Map<string, string>();
  for await (const entry of zip.eachEntry()) {
    if (isFile(entry) && wanted(entry.fileName)) entries.push(entry);
    if (/^[^/]+\.dist-info\/RECORD$/.test(entry.fileName)) record = parseRecord(await text(await read(zip, entry)));
  }
  return { entries, record };
}

async function extract(
  wheel: string,
  folder: string,
  wanted: (path: string) => boolean,
  onBytes: (bytes: number) => void,
): Promise<Map<string, string>> {
  const zip = await openPromise(wheel, { lazyEntries: true });
  const digests = new Map<string, string>();
  for await (const entry of zip.eachEntry()) {
    if (!isFile(entry) || !wanted(entry.fileName)) continue;
    const target = join(folder, entry.fileName);
    await mkdir(dirname(target), { recursive: true });
    const hash = createHash('sha256');
    const source = await read(zip, entry);
    source.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      onBytes(chunk.length);
    });
    await pipeline(source, createWriteStream(target));
    digests.set(entry.fileName, hash.digest('hex'));
  }
  return digests;
}

const read = (zip: ZipFile, entry: Entry): Promise<Readable> => zip.openReadStreamPromise(entry);

const isFile = (entry: Entry) => !entry.fileName.endsWith('/');

/** Lines of `path,sha256=<base64url>,bytes`; a path with a comma is quoted, and none that we want has one. */
function parseRecord(record: string): Map<string, string> {
  const digests = new Map<string, string>();
  for (const line of record.split('\n')) {
    const [path, digest] = line.split(',');
    if (path && digest?.startsWith('sha256=')) {
      digests.set(path, Buffer.from(digest.slice('sha256='.length), 'base64url').toString('hex'));
    }
  }
  return digests;
}
