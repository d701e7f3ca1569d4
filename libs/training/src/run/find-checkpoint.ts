/** Which checkpoint of a run to go on from. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError, readSafetensors } from '@pyramidal/checkpoints';
import { FileError, readJsonLines } from '@pyramidal/files';
import { requireInfo, type CheckpointInfo } from '../checkpoint';
import { TrainingError } from '../training-error';
import { metricsLine } from './records';

export const LAST = 'last.safetensors';
export const BEST = 'best.safetensors';
/** What is known of the best checkpoint. */
export const BEST_RECORD = 'best.json';
const NUMBERED = /^step-(\d+)\.safetensors$/;

export const numberedName = (step: number): string => `step-${String(step).padStart(8, '0')}.safetensors`;

/** The numbered checkpoints of a folder, newest first. */
export function numberedCheckpoints(folder: string): { readonly name: string; readonly step: number }[] {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .flatMap(({ name }) => (NUMBERED.test(name) ? [{ name, step: Number(NUMBERED.exec(name)?.[1]) }] : []))
    .sort((a, b) => b.step - a.step);
}

/** Where a run goes on. */
export interface Found {
  /** Absent for a run that has none yet. */
  readonly checkpoint: string | undefined;
  /** What the user should know. */
  readonly notes: readonly string[];
}

/**
 * The last checkpoint of a run. Where it is missing, the newest numbered one that is sound; a run that was stopped
 * before its first checkpoint starts anew.
 * @param file a checkpoint that the user chose.
 * @throws TrainingError if it is damaged, naming the sound ones, or if results are there but nothing to go on from.
 */
export function findCheckpoint(folder: string, file: string | undefined): Found {
  if (file !== undefined) {
    const path = existsSync(file) ? file : join(folder, file);
    const { step } = readInfo(path);
    return { checkpoint: path, notes: [`going on from ${path} (step ${step}), as asked for`] };
  }
  const last = join(folder, LAST);
  if (!existsSync(last)) return withoutLast(folder);
  const problem = problemOf(last);
  if (problem === undefined) return { checkpoint: last, notes: [] };
  const sound = soundCheckpoints(folder);
  throw new TrainingError(`${problem}; ${offer(folder, sound)}`);
}

function withoutLast(folder: string): Found {
  const [newest] = soundCheckpoints(folder);
  if (newest !== undefined) {
    const note = `${join(folder, LAST)} is missing: going on from ${newest.name} (step ${newest.step})`;
    return { checkpoint: join(folder, newest.name), notes: [note] };
  }
  const damaged = numberedCheckpoints(folder).map(({ name }) => name);
  const best = join(folder, BEST);
  if (existsSync(best)) throw new TrainingError(`${folder}: ${LAST} is missing, and ${aloneWith(best, damaged)}`, 2);
  if (damaged.length > 0) {
    const reason = `${LAST} is missing, and of ${damaged.join(', ')} none is sound; --out takes another folder`;
    throw new TrainingError(`${folder}: ${reason}`, 2);
  }
  return { checkpoint: undefined, notes: [`${folder}: holds no checkpoint yet, training starts anew`] };
}

/** What the best checkpoint alone is good for: weights without the optimizer's state, which a run needs to go on. */
function aloneWith(best: string, damaged: readonly string[]): string {
  const others = damaged.length === 0 ? '' : `${damaged.join(', ')} not sound, `;
  const problem = problemOf(best);
  if (problem !== undefined) return `${others}${problem}; --out takes another folder`;
  return (
    `${others}${BEST} holds the weights of its step without the optimizer's state, so that no run goes on from it: ` +
    `--set model.weights=${best} and another --out start from these weights; where it is moved away, --resume starts anew`
  );
}

function soundCheckpoints(folder: string): { readonly name: string; readonly step: number }[] {
  return numberedCheckpoints(folder).filter(({ name }) => problemOf(join(folder, name)) === undefined);
}

function offer(folder: string, [newest, ...others]: readonly { readonly name: string }[]): string {
  if (newest === undefined) return 'no other checkpoint of this run can be gone on from';
  const more = others.length === 0 ? '' : ` (sound too: ${others.map(({ name }) => name).join(', ')})`;
  return `--resume ${join(folder, newest.name)} goes on from a sound one${more}`;
}

/** @returns what is wrong with the best checkpoint of a run that has had one; undefined where nothing is. */
export function lostBest(folder: string): string | undefined {
  const best = join(folder, BEST);
  if (existsSync(best)) return problemOf(best);
  return existsSync(join(folder, BEST_RECORD)) ? `${best}: is missing` : undefined;
}

/** @returns what is wrong with a checkpoint; undefined for a sound one. */
function problemOf(path: string): string | undefined {
  try {
    readInfo(path);
    return undefined;
  } catch (error) {
    const isKnown = error instanceof CheckpointError || error instanceof FileError || error instanceof TrainingError;
    if (isKnown) return error.message;
    throw error;
  }
}

/** Reads every tensor, so that checksums are compared. */
function readInfo(path: string): CheckpointInfo {
  const file = readSafetensors(path);
  try {
    const info = requireInfo(path, file);
    for (const tensor of file.tensors.values()) void tensor.data;
    return info;
  } finally {
    file.close();
  }
}

/** Whether a folder holds anything of a run that a start from nothing would overwrite. */
export function hasResults(folder: string): boolean {
  if (!existsSync(folder)) return false;
  if ([LAST, BEST].some((name) => existsSync(join(folder, name))) || numberedCheckpoints(folder).length > 0)
    return true;
  const log = join(folder, 'metrics.jsonl');
  return existsSync(log) && readJsonLines(log, metricsLine).records.length > 0;
}
