/** Which checkpoint a user means, and the run that it comes from. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from '@pyramidal/config';

/** What is taken of a run, the first that is there. */
const CHECKPOINTS = ['best.safetensors', 'last.safetensors'];

/** A file with weights. */
export interface FoundWeights {
  readonly file: string;
  /** Folder of the run that wrote it, if one did. */
  readonly run: string | undefined;
}

/**
 * The checkpoint at a path: a file, or of a run's folder the best one, else the last.
 * @throws UsageError for a folder without either.
 */
export function findWeights(path: string): FoundWeights {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!isFolder) return { file: path, run: isRun(dirname(path)) ? dirname(path) : undefined };
  const name = CHECKPOINTS.find((candidate) => existsSync(join(path, candidate)));
  if (name !== undefined) return { file: join(path, name), run: path };
  throw new UsageError(`${path}: expected a weights file, or the folder of a run with ${CHECKPOINTS.join(' or ')}`);
}

/** Whether a folder holds a run: trainings note every start there. */
export const isRun = (folder: string): boolean => existsSync(join(folder, 'run.json'));
