/** Downloads that go on where they broke off. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeFolder } from '@pyramidal/files';
import { RuntimeError } from '@pyramidal/kernels/engine';
import { type InstallProgress, SILENT } from './progress';

export interface Checksum {
  readonly algorithm: 'sha256' | 'md5';
  /** Hexadecimal. */
  readonly digest: string;
}

export interface DownloadOptions {
  /** Known beforehand; without it the server's own MD5 (`x-goog-hash`) is used where it sends one. */
  readonly checksum?: Checksum;
  readonly progress?: InstallProgress;
  /** Times a broken transfer is taken up again where it broke off. */
  readonly retries?: number;
  readonly retryDelayMs?: number;
  /** A connection that sends nothing for so long counts as broken. */
  readonly stallMs?: number;
}

/** The server answered, and said no. */
class Refused extends Error {}

/**
 * Downloads a file by HTTP range requests: what arrived stays in `FILE.part`, and the next attempt, or the next run,
 * goes on from there. The file appears under its name only when it is whole and its checksum is right.
 * @throws RuntimeError naming the host and what went wrong.
 */
export async function download(url: string, file: string, options: DownloadOptions = {}): Promise<void> {
  const { retries = 4, retryDelayMs = 1000 } = options;
  makeFolder(dirname(file));
  let arrived = false;
  for (let attempt = 0; ; attempt++) {
    try {
      const checksum = await transfer(url, `${file}.part`, options, () => (arrived = true));
      await verify(`${file}.part`, options.checksum ?? checksum);
      return await rename(`${file}.part`, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw error;
      const unreachable = (error as Error).name === 'TypeError' && !arrived;
      if (attempt >= retries || unreachable || error instanceof Refused) {
        throw new RuntimeError(`download of ${file.split(/[\\/]/).at(-1)} from ${hostOf(url)} failed: ${cause(error)}`);
      }
      await sleep(retryDelayMs * 2 ** attempt);
    }
  }
}

/**
 * Appends to the part file until the server has sent all; returns the server's own checksum, if it has one. A
 * connection that cannot be made is `fetch`'s TypeError.
 */
async function transfer(
  url: string,
  part: string,
  options: DownloadOptions,
  onArrival: () => void,
): Promise<Checksum | undefined> {
  const { progress = SILENT, stallMs = 30_000 } = options;
  const already = await sizeOf(part);
  const stalled = new AbortController();
  const watch = setTimeout(() => stalled.abort(new Error(`nothing arrived for ${stallMs / 1000} s`)), stallMs);
  const onBytes = (done: number, total: number | undefined) => {
    watch.refresh();
    onArrival();
    progress.bytes(done, total);
  };
  try {
    const range = already > 0 ? { range: `bytes=${already}-` } : undefined;
    const headers = { 'accept-encoding': 'identity', ...range };
    const response = await fetch(url, { headers, signal: stalled.signal });
    if (response.status === 416) await expectWhole(response, part, already);
    else if (response.ok) await append(response, part, response.status === 206 ? already : 0, onBytes);
    else throw refusal(response.status);
    return serverChecksum(response);
  } finally {
    clearTimeout(watch);
  }
}

async function append(
  response: Response,
  part: string,
  already: number,
  onBytes: (done: number, total: number | undefined) => void,
): Promise<void> {
  const length = Number(response.headers.get('content-length'));
  const total = length > 0 ? already + length : undefined;
  let done = already;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      onBytes((done += chunk.length), total);
      next(null, chunk);
    },
  });
  const target = createWriteStream(part, { flags: already > 0 ? 'a' : 'w' });
  await pipeline(Readable.fromWeb(response.body as ReadableStream), count, target);
  if (total !== undefined && done !== total) throw new Error(`it ended after ${done} of ${total} bytes`);
}

/** Nothing is left to send: either the part is the whole file, or it is not this file at all. */
async function expectWhole(response: Response, part: string, already: number): Promise<void> {
  await response.body?.cancel();
  const total = Number(/\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1]);
  if (total === already) return;
  await rm(part, { force: true });
  throw new Error('the partial file is longer than the file itself');
}

const refusal = (status: number) =>
  status >= 500 || status === 429 || status === 408
    ? new Error(`the server answered ${status}`)
    : new Refused(`the server answered ${status}`);

/** @throws Error after deleting the part, so that the next attempt starts from nothing. */
async function verify(part: string, checksum: Checksum | undefined): Promise<void> {
  if (!checksum) return;
  const hash = createHash(checksum.algorithm);
  await pipeline(createReadStream(part), hash);
  const digest = hash.digest('hex');
  if (digest === checksum.digest) return;
  await rm(part);
  throw new Error(`${checksum.algorithm} is ${digest}, expected ${checksum.digest}`);
}

function serverChecksum(response: Response): Checksum | undefined {
  const md5 = /md5=([A-Za-z0-9+/=]+)/.exec(response.headers.get('x-goog-hash') ?? '')?.[1];
  return md5 ? { algorithm: 'md5', digest: Buffer.from(md5, 'base64').toString('hex') } : undefined;
}

const sizeOf = async (file: string) => (await stat(file).catch(() => undefined))?.size ?? 0;

const hostOf = (url: string) => new URL(url).host;

/** `fetch` hides the reason of a failed connection in `cause`. */
function cause(error: unknown): string {
  const { message, cause: inner } = error as Error & { cause?: { message?: string; code?: string } };
  return inner?.message || inner?.code || message;
}
