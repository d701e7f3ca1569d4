/** Files as they were, to see whether they changed. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** A file as it was installed or found. */
export interface FileStamp {
  readonly path: string;
  readonly bytes: number;
  readonly mtimeMs: number;
  /** Hexadecimal; absent for a file that is not ours. */
  readonly sha256?: string;
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Size and time alone; what has to be known of the contents is added by the caller. */
export async function stampFile(path: string): Promise<FileStamp> {
  const { size, mtimeMs } = await stat(path);
  return { path, bytes: size, mtimeMs };
}

/**
 * Says what is wrong with a file, if anything is.
 * @param depth `quick` compares size and time and reads the file only when the time differs; `full` reads it whenever
 * its digest is known.
 */
export async function checkStamp(stamp: FileStamp, depth: 'quick' | 'full'): Promise<string | undefined> {
  const { path, bytes, mtimeMs, sha256 } = stamp;
  const found = await stampFile(path).catch(() => undefined);
  if (!found) return `${path} is gone`;
  if (found.bytes !== bytes) return `${path} has ${found.bytes} bytes, expected ${bytes}`;
  const sameTime = found.mtimeMs === mtimeMs;
  if (sameTime && (depth === 'quick' || !sha256)) return undefined;
  return sha256 && (await sha256Of(path)) === sha256 ? undefined : `${path} has changed since it was installed`;
}
