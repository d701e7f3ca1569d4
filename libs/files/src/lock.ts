/**
 * A lock that one process holds at a time, on one machine or on a shared disk. Its file says who holds it.
 *
 * Two processes can never take over from the same dead holder: whoever does so first makes the file
 * `NAME.TOKEN-OF-THE-DEAD`, which the file system lets exist once, looks whether `NAME` still is the dead one's, and
 * then renames its own file to `NAME`. Files appear whole, by a link, so a damaged one belongs to nobody.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, linkSync, openSync, readSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileError, fileError } from './file-error';
import { isRunning, startOf } from './process-start';
import { openRegularFile } from './read-file';
import { checkTarget, temporaryName, writeFully } from './write-file';

/** Who holds a lock. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Tells a process from a later one with the same number, where the system says when it began. */
  readonly began: string | null;
  /** When the lock was taken, as ISO 8601. */
  readonly since: string;
  /** Names this claim and no other. */
  readonly token: string;
}

export interface Lock {
  /** Gives the lock back; a second call does nothing. */
  release(): void;
}

/** Another process holds the lock. */
export class LockedError extends FileError {
  override readonly name = 'LockedError';
  override readonly exitCode = 2;

  constructor(
    path: string,
    readonly holder: Holder,
    purpose: string,
  ) {
    const { pid, host, since } = holder;
    super(path, `process ${pid} on ${host}, since ${since}, ${purpose}; if that is not so, delete this file`);
  }
}

/**
 * Takes a lock at once. One that a process of this machine has left which no longer runs is taken over, and so is a
 * damaged one.
 * @param path of the lock's file, in a folder that exists.
 * @param purpose what its holder does, for the message: `trains into this folder`.
 * @throws LockedError that names the process which holds it; FileError if the lock cannot be written.
 */
export function acquireLock(path: string, purpose: string): Lock {
  const result = tryLock(path, Infinity);
  if (isLock(result)) return result;
  throw new LockedError(path, result, purpose);
}

const HEARTBEAT_MS = 5_000;
const STALE_MS = 60_000;
const POLL_MS = 200;

/**
 * Runs `work` while no other process has the lock, and waits for it as long as it takes. A holder on another machine
 * counts as dead after a minute without a heartbeat.
 * @param onWait told once who holds it.
 * @throws FileError if the lock cannot be written, and what `work` throws.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  onWait: (holder: Holder) => void = () => undefined,
): Promise<T> {
  const lock = await waitForLock(path, onWait);
  const heartbeat = setInterval(() => showLife(path), HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    lock.release();
  }
}

async function waitForLock(path: string, onWait: (holder: Holder) => void): Promise<Lock> {
  for (let waited = false; ; waited = true) {
    const result = tryLock(path, STALE_MS);
    if (isLock(result)) return result;
    if (!waited) onWait(result);
    await sleep(POLL_MS);
  }
}

const isLock = (result: Lock | Holder): result is Lock => 'release' in result;

/**
 * @param staleAfter milliseconds without a heartbeat after which a holder on another machine counts as dead.
 * @returns the lock, or who holds it.
 */
function tryLock(path: string, staleAfter: number): Lock | Holder {
  checkTarget(path);
  const self = newHolder();
  for (;;) {
    const claims = readClaims(path);
    const last = claims.at(-1);
    if (last?.holder !== undefined && isAlive(last.holder, last.mtimeMs, staleAfter)) return last.holder;
    const file = last === undefined ? path : successorOf(path, last);
    if (!create(file, self)) continue; // another process was faster
    if (last === undefined) return { release: () => giveBack(path, self) };
    if (readClaim(path)?.token === claims[0]?.token) return takeOver(path, file, claims, self);
    remove(file); // the lock was given back or taken over meanwhile
  }
}

function takeOver(path: string, file: string, claims: readonly Claim[], self: Holder): Lock {
  try {
    renameSync(file, path);
  } catch (error) {
    remove(file);
    throw fileError(path, 'written', error);
  }
  for (const claim of claims) remove(successorOf(path, claim));
  return { release: () => giveBack(path, self) };
}

function giveBack(path: string, { token }: Holder): void {
  if (readClaim(path)?.token === token) remove(path);
}

/** A file of the lock: `NAME`, or one that a process made to take over and was killed before it renamed it. */
interface Claim {
  readonly token: string;
  readonly mtimeMs: number;
  /** Absent if the file is damaged. */
  readonly holder: Holder | undefined;
}

const successorOf = (path: string, { token }: Claim): string => `${path}.${token}`;

/** The claims from `NAME` to the last one that was made to take over from the one before. */
function readClaims(path: string): Claim[] {
  const claims: Claim[] = [];
  for (let claim = readClaim(path); claim !== undefined; claim = readClaim(successorOf(path, claim)))
    claims.push(claim);
  return claims;
}

/** Where there are no links, a file is empty for a moment before it is written. */
const IN_THE_MAKING_MS = 20;

function readClaim(file: string): Claim | undefined {
  const claim = readClaimNow(file);
  if (claim === undefined || claim.holder !== undefined) return claim;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, IN_THE_MAKING_MS);
  return readClaimNow(file);
}

const MAX_BYTES = 4096;

function readClaimNow(file: string): Claim | undefined {
  const descriptor = openIfThere(file);
  if (descriptor === undefined) return undefined;
  try {
    const { mtimeMs, ino } = fstatSync(descriptor);
    const bytes = Buffer.alloc(MAX_BYTES);
    const text = bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, MAX_BYTES, 0));
    const token = `file-${ino}-${Math.round(mtimeMs)}`;
    const holder = parseHolder(text, { token, since: new Date(mtimeMs).toISOString() });
    return { token: holder?.token ?? token, mtimeMs, holder };
  } catch (error) {
    throw fileError(file, 'read', error);
  } finally {
    closeSync(descriptor);
  }
}

function openIfThere(file: string): number | undefined {
  try {
    return openRegularFile(file).descriptor;
  } catch (error) {
    if ((error as FileError).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** @returns undefined for what is not the record of a holder. */
function parseHolder(text: string, defaults: Pick<Holder, 'token' | 'since'>): Holder | undefined {
  try {
    const read = JSON.parse(text) as Partial<Record<keyof Holder, unknown>>;
    const { pid, host, began = null, since = defaults.since, token = defaults.token } = read;
    if (!Number.isInteger(pid) || typeof host !== 'string' || typeof since !== 'string') return undefined;
    if (typeof token !== 'string' || !/^[\w-]{1,64}$/.test(token)) return undefined;
    return { pid: pid as number, host, began: typeof began === 'string' ? began : null, since, token };
  } catch {
    return undefined;
  }
}

/** A process of another machine cannot be asked: it lives as long as its heartbeat is young. */
function isAlive({ pid, host, began }: Holder, mtimeMs: number, staleAfter: number): boolean {
  if (host !== hostname()) return Date.now() - mtimeMs <= staleAfter;
  if (!isRunning(pid)) return false;
  const start = startOf(pid);
  return began === null || start === null || began === start;
}

const newHolder = (): Holder => ({
  pid: process.pid,
  host: hostname(),
  began: startOf(process.pid),
  since: new Date().toISOString(),
  token: randomBytes(12).toString('hex'),
});

/** What file systems without links (FAT, some network shares) answer. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Makes a file that holds a claim from its first moment on.
 * @returns false if it has to be tried again: there is one of that name. @throws FileError
 */
function create(file: string, self: Holder): boolean {
  const draft = join(dirname(file), temporaryName());
  try {
    writeClaim(draft, self);
  } catch (error) {
    remove(draft);
    throw fileError(file, 'written', error);
  }
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || code === 'ENOENT') return false; // another was faster, or cleared the draft away
    if (!NO_LINKS.has(code)) throw fileError(file, 'written', error);
  } finally {
    remove(draft);
  }
  return createInPlace(file, self);
}

/** What is left after a failure is damaged, and so belongs to nobody. */
function createInPlace(file: string, self: Holder): boolean {
  try {
    writeClaim(file, self);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw fileError(file, 'written', error);
  }
}

function writeClaim(file: string, self: Holder): void {
  const descriptor = openSync(file, 'wx');
  try {
    writeFully(descriptor, Buffer.from(`${JSON.stringify(self)}\n`));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A file that cannot be removed is in nobody's way once this process has ended: it then belongs to the dead. */
function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    return;
  }
}

/** A heartbeat that fails once is made up for by the next; without any, others take over. */
function showLife(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    return;
  }
}
