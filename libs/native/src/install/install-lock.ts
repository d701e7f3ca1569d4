import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly token: string;
}

/** No process has this id. */
const NOBODY = 2 ** 31 - 1;

const HEARTBEAT_MS = 5_000;
/** A holder on another machine counts as dead after so long without a heartbeat. */
const STALE_MS = 60_000;

/**
 * Runs `work` while no other process that uses this cache folder does. The lock of a process that died is taken over.
 * @param onWait called once if another process holds the lock, with its id.
 */
export async function withInstallLock<T>(
  cache: string,
  work: () => Promise<T>,
  onWait: (pid: number) => void = () => undefined,
): Promise<T> {
  await mkdir(cache, { recursive: true });
  const file = join(cache, 'install.lock');
  const token = randomUUID();
  await acquire(file, { pid: process.pid, host: hostname(), token }, onWait);
  const heartbeat = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if ((await readHolder(file))?.token === token) await rm(file, { force: true });
  }
}

async function acquire(file: string, self: Holder, onWait: (pid: number) => void): Promise<void> {
  for (let waited = false; ; await sleep(200)) {
    if (await tryCreate(file, self)) return;
    const holder = await readHolder(file);
    if (!holder) continue;
    if (await isDead(file, holder)) {
      await takeAway(file, holder);
    } else if (!waited) {
      waited = true;
      onWait(holder.pid);
    }
  }
}

/** Written beside and linked into place, so that nobody reads half a lock. */
async function tryCreate(file: string, self: Holder): Promise<boolean> {
  const draft = `${file}.${self.token}`;
  await writeFile(draft, JSON.stringify(self));
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function isDead(file: string, holder: Holder): Promise<boolean> {
  if (holder.host === hostname()) return !isRunning(holder.pid);
  const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
  return Date.now() - mtimeMs > STALE_MS;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Only one waiter's rename succeeds; if it caught a lock that was renewed in between, it puts that one back. */
async function takeAway(file: string, dead: Holder): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  if ((await readHolder(aside))?.token !== dead.token) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
}

/** Undefined when nobody holds the lock. A file that a crash left without contents counts as held by the dead. */
async function readHolder(file: string): Promise<Holder | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return { pid: NOBODY, host: hostname(), token: '' };
  }
}
