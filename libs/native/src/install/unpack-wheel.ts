/** Unpacks what is wanted of a wheel, each file checked by the wheel's own list. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { RuntimeError } from '@pyramidal/kernels/engine';
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
    const digests = await unzip(wheel, folder, wanted, progress);
    const record = await readRecord(wheel);
    for (const [path, digest] of digests) {
      const expected = record.get(path);
      if (expected === undefined) throw new Error(`its RECORD names no checksum of ${path}`);
      if (expected !== digest) throw new Error(`${path} does not match its checksum`);
    }
    if (digests.size === 0) throw new Error('it holds none of the files looked for');
    return digests;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw error;
    throw new RuntimeError(`${basename(wheel)} cannot be used: ${(error as Error).message}`);
  }
}

/**
 * Unpacks the wanted files of a zip archive, streaming; the archive's own CRCs and sizes are checked.
 * @returns path inside the archive -> SHA-256, hexadecimal.
 */
export async function unzip(
  archive: string,
  folder: string,
  wanted: (path: string) => boolean,
  progress: InstallProgress = SILENT,
): Promise<Map<string, string>> {
  const isWanted = ({ fileName }: Entry) => !fileName.endsWith('/') && wanted(fileName);
  let total = 0;
  await forEachEntry(archive, async (entry) => {
    if (isWanted(entry)) total += entry.uncompressedSize;
  });
  const digests = new Map<string, string>();
  let done = 0;
  await forEachEntry(archive, async (entry, zip) => {
    if (!isWanted(entry)) return;
    const target = join(folder, entry.fileName);
    await mkdir(dirname(target), { recursive: true });
    const hash = createHash('sha256');
    const source = await zip.openReadStreamPromise(entry);
    source.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      progress.bytes((done += chunk.length), total);
    });
    await pipeline(source, createWriteStream(target, { mode: permissions(entry) }));
    digests.set(entry.fileName, hash.digest('hex'));
  });
  return digests;
}

async function forEachEntry(archive: string, visit: (entry: Entry, zip: ZipFile) => Promise<void>): Promise<void> {
  const zip = await openPromise(archive, { lazyEntries: true });
  for await (const entry of zip.eachEntry()) await visit(entry, zip);
}

/** The Unix mode lies in the upper half of the external attributes; archives made elsewhere have none. */
const permissions = (entry: Entry) => (entry.externalFileAttributes >>> 16) & 0o777 || 0o644;

/** `RECORD` has lines of `path,sha256=<base64url>,bytes`. */
async function readRecord(wheel: string): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  await forEachEntry(wheel, async (entry, zip) => {
    if (!/^[^/]+\.dist-info\/RECORD$/.test(entry.fileName)) return;
    for (const line of (await text(await zip.openReadStreamPromise(entry))).split('\n')) {
      const [path, digest] = line.split(',');
      if (path && digest?.startsWith('sha256=')) {
        digests.set(path, Buffer.from(digest.slice('sha256='.length), 'base64url').toString('hex'));
      }
    }
  });
  return digests;
}
