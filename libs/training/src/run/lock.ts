import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { TrainingError, WriteError } from '../training-error';

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Tells a process from a later one with the same number, where the system says when it began. */
  readonly began: string | null;
  readonly since: string;
}

/**
 * Claims a folder for this process. The claim of a process that no longer lives is taken over.
 * @returns the function that gives it back.
 * @throws TrainingError that names the process which holds it.
 */
export function claim(path: string): () => void {
  for (let attempt = 0; ; attempt++) {
    if (tryClaim(path)) return () => rmSync(path, { force: true });
    const owner = readOwner(path);
    if (attempt === 0 && (owner === 'gone' || (owner !== undefined && !isAlive(owner)))) {
      rmSync(path, { force: true });
      continue;
    }
    const who =
      typeof owner === 'object' ? `process ${owner.pid} on ${owner.host}, since ${owner.since},` : 'another process';
    throw new TrainingError(`${path}: ${who} trains into this folder; if that is not so, delete this file`, 2);
  }
}

function tryClaim(path: string): boolean {
  const owner: Owner = {
    pid: process.pid,
    host: hostname(),
    began: beginOf(process.pid),
    since: new Date().toISOString(),
  };
  try {
    writeFileSync(path, `${JSON.stringify(owner)}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new WriteError(path, error);
  }
}

function readOwner(path: string): Owner | 'gone' | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owner;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'gone' : undefined;
  }
}

/** Processes of another host cannot be asked and count as living. */
function isAlive({ pid, host, began }: Owner): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return began === beginOf(pid);
}

/** When a process began, in the system's own count (Linux: field 22 of /proc/PID/stat). */
function beginOf(pid: number): string | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    return fields[19] ?? null;
  } catch {
    return null;
  }
}
