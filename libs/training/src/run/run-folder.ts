import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { acquireLock, makeFolder, removeLeftovers, writeFileAtomically, writeJson } from '@pyramidal/files';
import { TrainingError } from '../training-error';

export interface RunFolderOptions {
  readonly folder: string;
  /** Go on with the run that the folder holds. */
  readonly resume?: boolean;
  /** The resolved configuration, as YAML. */
  readonly config: string;
  /** What else is worth knowing about the run: engine, versions, command. */
  readonly info?: Readonly<Record<string, unknown>>;
}

/** The folder of one run, held by this process: `config.yaml`, `run.json`, logs and checkpoints. */
export interface RunFolder {
  readonly folder: string;
  readonly config: string;
  /** The checkpoint to go on from. */
  readonly checkpoint: string | undefined;
  file(name: string): string;
  /**
   * Writes `config.yaml` and `run.json` (one entry a start: time, command, commit), once nothing stands in the way.
   * @returns what the user should know.
   */
  begin(): string[];
  close(): void;
}

export const LAST = 'last.safetensors';
const TRACES = ['run.json', 'config.yaml', 'metrics.jsonl', LAST];

/**
 * Opens a folder for training.
 * @throws TrainingError if it holds a run and `resume` is not set, if there is nothing to resume, if another process
 * trains into it, or if it cannot be written. Nothing is changed then.
 */
export function openRunFolder({ folder, resume = false, config, info = {} }: RunFolderOptions): RunFolder {
  const file = (name: string): string => join(folder, name);
  const last = file(LAST);
  const used = TRACES.find((name) => existsSync(file(name)));
  if (used !== undefined && !resume) {
    throw new TrainingError(
      `${folder}: holds a run already (${used}); --resume goes on with it, --out takes another folder`,
      2,
    );
  }
  if (used === undefined && resume) throw new TrainingError(`${folder}: nothing to resume, expected ${LAST} in it`, 2);
  makeFolder(folder);
  const lock = acquireLock(file('run.lock'), 'trains into this folder');
  try {
    removeLeftovers(folder);
    const checkpoint = existsSync(last) ? last : undefined;
    const starts = readStarts(file('run.json'));
    const begin = (): string[] => writeRecords(file, config, starts, info);
    return { folder, config, checkpoint, file, begin, close: () => lock.release() };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function writeRecords(
  file: (name: string) => string,
  config: string,
  starts: readonly unknown[],
  info: Readonly<Record<string, unknown>>,
): string[] {
  const notes: string[] = [];
  const old = existsSync(file('config.yaml')) ? readFileSync(file('config.yaml'), 'utf8') : config;
  if (old !== config) {
    const kept = `config.${starts.length}.yaml`;
    writeFileAtomically(file(kept), old);
    notes.push(`the configuration differs from the run's until now (kept as ${kept}): ${firstDifference(old, config)}`);
  }
  writeFileAtomically(file('config.yaml'), config);
  const start = {
    started: new Date().toISOString(),
    command: process.argv,
    node: process.version,
    git: gitState(),
    ...info,
  };
  writeJson(file('run.json'), { starts: [...starts, start] });
  return notes;
}

function readStarts(path: string): unknown[] {
  if (!existsSync(path)) return [];
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { starts: unknown[] }).starts;
  } catch {
    throw new TrainingError(`${path}: not readable as a record of earlier starts; move it away`, 2);
  }
}

function firstDifference(old: string, next: string): string {
  const [before, after] = [old.split('\n'), next.split('\n')];
  const line = after.findIndex((text, i) => text !== before[i]);
  return `'${(before[line] ?? '').trim()}' is now '${(after[line] ?? '').trim()}'`;
}

function gitState(): { commit: string; changed: boolean } | null {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000 }).trim();
  try {
    return { commit: git('rev-parse', 'HEAD'), changed: git('status', '--porcelain', '--untracked-files=no') !== '' };
  } catch {
    return null;
  }
}
