import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** A file as it was installed. */
export interface FileStamp {
  readonly path: string;
  readonly bytes: number;
  readonly mtimeMs: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** @param sha256 where it is known already; read from the file otherwise. */
export async function stampFile(path: string, sha256?: string): Promise<FileStamp> {
  const { size, mtimeMs } = await stat(path);
  return { path, bytes: size, mtimeMs, sha256: sha256 ?? (await sha256Of(path)) };
}

/**
 * Says what is wrong with a file, if anything is.
 * @param depth `quick` compares size and time and reads the file only when the time differs; `full` always reads it.
 */
export async function checkStamp(stamp: FileStamp, depth: 'quick' | 'full'): Promise<string | undefined> {
  const found = await stat(stamp.path).catch(() => undefined);
  if (!found) return `${stamp.path} is gone`;
  if (found.size !== stamp.bytes) return `${stamp.path} has ${found.size} bytes, expected ${stamp.bytes}`;
  if (depth === 'quick' && found.mtimeMs === stamp.mtimeMs) return undefined;
  return (await sha256Of(stamp.path)) === stamp.sha256 ? undefined : `${stamp.path} has changed since it was installed`;
}
