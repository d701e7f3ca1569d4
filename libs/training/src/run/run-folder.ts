/** The folder of a run: what is in it, who holds it, and what a start writes first. */
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  acquireLock,
  checkTarget,
  duplicateFile,
  makeFolder,
  readJson,
  readJsonLines,
  readText,
  removeFile,
  removeLeftovers,
  writeFileAtomically,
  writeJson,
} from '@pyramidal/files';
import type { z } from 'zod';
import { TrainingError } from '../training-error';
import { BEST, BEST_RECORD, findCheckpoint, hasResults, LAST, lostBest, type Found } from './find-checkpoint';
import { bestRecord, metricsLine, runRecord, splitRecord } from './records';

/** A folder and what the run in it is. */
export interface RunFolderOptions {
  readonly folder: string;
  /** Go on with the run that the folder holds: from its last checkpoint, or from this file. */
  readonly resume?: boolean | string;
  /** The resolved configuration, as YAML. */
  readonly config: string;
  /** What else is worth knowing about the run: engine, versions, command. */
  readonly info?: Readonly<Record<string, unknown>>;
  /** How the training images were split; a run goes on with the same split alone. */
  readonly split?: SplitRecord | undefined;
}

/** What `split.json` holds. */
export type SplitRecord = z.output<typeof splitRecord>;

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
  /** Notes in `run.json` how this start ended, after so many updates. */
  end(outcome: string, step: number): void;
  close(): void;
}

const TRACES = ['run.json', 'config.yaml', 'metrics.jsonl', LAST];
const FILES = [...TRACES, BEST, BEST_RECORD, 'split.json'];

/**
 * Opens a folder for training. What a start left that failed before its first results is in nobody's way.
 * @throws TrainingError if it holds a run and `resume` is not set, or if there is nothing to resume; LockedError if
 * another process trains into it; FileError if a file of it is damaged or cannot be written. Nothing is changed then.
 */
export function openRunFolder({ folder, resume = false, config, info = {}, split }: RunFolderOptions): RunFolder {
  const file = (name: string): string => join(folder, name);
  const trace = TRACES.find((name) => existsSync(file(name)));
  if (resume === false && hasResults(folder)) {
    throw new TrainingError(
      `${folder}: holds a run already (${trace ?? BEST}); --resume goes on with it, --out takes another folder`,
      2,
    );
  }
  if (resume === true && trace === undefined && !hasResults(folder)) {
    throw new TrainingError(`${folder}: nothing to resume, expected ${LAST} in it`, 2);
  }
  makeFolder(folder);
  const lock = acquireLock(file('run.lock'), 'trains into this folder');
  try {
    FILES.forEach((name) => checkTarget(file(name)));
    const { checkpoint, notes } = resume === false ? NEW : findCheckpoint(folder, resume === true ? undefined : resume);
    if (resume !== false) checkRecords(file);
    const lost = resume === false ? undefined : lostBest(folder);
    if (checkpoint !== undefined && split !== undefined) checkSplit(file('split.json'), split);
    const starts = existsSync(file('run.json')) ? readJson(file('run.json'), runRecord).starts : [];
    removeLeftovers(folder);
    const begin = (): string[] => [
      ...notes,
      ...(lost === undefined ? [] : replaceBest(file, lost)),
      ...(checkpoint === undefined ? setLogAside(file) : []),
      ...writeRecords(file, config, starts, info),
      ...(split === undefined ? [] : writeSplit(file('split.json'), split)),
    ];
    const end = (outcome: string, step: number): void => noteEnd(file('run.json'), { outcome, step });
    return { folder, config, checkpoint, file, begin, end, close: () => lock.release() };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Damaged records are found before anything is changed, not when they are needed. */
function checkRecords(file: (name: string) => string): void {
  if (existsSync(file(BEST_RECORD))) readJson(file(BEST_RECORD), bestRecord);
  if (existsSync(file('metrics.jsonl'))) readJsonLines(file('metrics.jsonl'), metricsLine);
}

/** A run that goes on must not be measured on images that it has learned from. */
function checkSplit(path: string, { validation }: SplitRecord): void {
  if (!existsSync(path)) return;
  const known = new Set(readJson(path, splitRecord).validation);
  const other = validation.find((name) => !known.has(name));
  if (other === undefined && known.size === validation.length) return;
  const difference =
    other === undefined ? `${known.size} images then, ${validation.length} now` : `${other} is new in it`;
  throw new TrainingError(
    `${path}: the images held out for validation are others than when the run began (${difference}); ` +
      'for --resume, data set, data.val.share and data.val.seed must stay',
    2,
  );
}

function writeSplit(path: string, split: SplitRecord): string[] {
  writeJson(path, split);
  const { share, seed, training, validation } = split;
  return [
    `${validation.length} images are held out for validation (share ${share}, seed ${seed}; split.json), ${training} are learned from`,
  ];
}

const NEW: Found = { checkpoint: undefined, notes: [] };

/** The log of a run that starts anew is kept. */
function setLogAside(file: (name: string) => string): string[] {
  const log = file('metrics.jsonl');
  if (!existsSync(log) || statSync(log).size === 0) return [];
  const kept = duplicateAside(file, 'metrics', 'jsonl');
  writeFileAtomically(log, '');
  return [`the log until now is kept as ${kept}`];
}

/** A best checkpoint that cannot be read is kept under another name, so that the next evaluation gives a best one. */
function replaceBest(file: (name: string) => string, lost: string): string[] {
  const isThere = existsSync(file(BEST));
  const kept = isThere ? `; kept as ${duplicateAside(file, 'best', 'safetensors')}` : '';
  if (isThere) removeFile(file(BEST));
  return [`${lost}${kept}; the next evaluation gives the best checkpoint anew`];
}

/** @returns the first name of the form `metrics.1.jsonl` that is free, which the file now has too. */
function duplicateAside(file: (name: string) => string, name: string, extension: string): string {
  let number = 1;
  while (existsSync(file(`${name}.${number}.${extension}`))) number++;
  const kept = `${name}.${number}.${extension}`;
  duplicateFile(file(`${name}.${extension}`), file(kept));
  return kept;
}

function writeRecords(
  file: (name: string) => string,
  config: string,
  starts: readonly unknown[],
  info: Readonly<Record<string, unknown>>,
): string[] {
  const notes: string[] = [];
  const old = existsSync(file('config.yaml')) ? readText(file('config.yaml')) : config;
  if (old !== config) {
    const kept = `config.${starts.length}.yaml`;
    writeFileAtomically(file(kept), old);
    notes.push(`the configuration differs from the run's until now (kept as ${kept}): ${firstDifference(old, config)}`);
  }
  const [before, now] = [workersOf(starts.at(-1)), workersOf(info)];
  if (starts.length > 0 && before !== now) {
    notes.push(
      `${now} ${now === 1 ? 'process trains' : 'processes train'} now, ${before} until now: updates have the same images; ` +
        'what is drawn within a step, such as dropout, may differ',
    );
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

/** How many processes a start had. */
function workersOf(start: unknown): number {
  const { workers } = (start ?? {}) as { workers?: unknown };
  return typeof workers === 'number' ? workers : 1;
}

/** The last start is the one that ends. */
function noteEnd(path: string, how: { readonly outcome: string; readonly step: number }): void {
  const { starts } = readJson(path, runRecord);
  const last = { ...(starts.at(-1) as object), ended: { time: new Date().toISOString(), ...how } };
  writeJson(path, { starts: [...starts.slice(0, -1), last] });
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
