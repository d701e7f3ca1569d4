/** Trainings as pages: `report.html` in the folder of a run, and several runs over each other. */
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { FileError, readJsonLines, writeFileAtomically } from '@pyramidal/files';
import { trainingReport, type TrainingRun } from '@pyramidal/report';
import { metricsLine } from './training-curves';

const METRICS = 'metrics.jsonl';

/** Draws what a run has logged so far; a training goes on without the page where it cannot be written. */
export function renewTrainingReport(folder: string): void {
  try {
    if (existsSync(join(folder, METRICS))) writeTrainingReport([folder], join(folder, 'report.html'));
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    console.error(`${error.message}; training goes on without its report`);
  }
}

/**
 * Draws runs over each other.
 * @param folders of the runs.
 * @throws FileError if a folder holds no log, or the page cannot be written.
 */
export function writeTrainingReport(folders: readonly string[], file: string): void {
  const runs = folders.map((folder): TrainingRun => {
    const path = join(folder, METRICS);
    if (!existsSync(path)) throw new FileError(folder, `expected the folder of a run, with its ${METRICS}`);
    return { name: basename(resolve(folder)), records: recordsOf(path) };
  });
  writeFileAtomically(file, trainingReport(`Training of ${runs.map(({ name }) => name).join(', ')}`, runs));
}

/** Different numbers that a training logs, at most: each of them is a chart. */
const MOST_NUMBERS = 1000;

/** The log of a training, of which the last line may be torn. @throws FileError if it is none. */
function recordsOf(path: string): TrainingRun['records'] {
  const { records, torn } = readJsonLines(path, metricsLine);
  if (records.length === 0 && torn !== undefined) {
    throw new FileError(path, 'expected the log of a training, received no record of one');
  }
  const names = new Set<string>();
  for (const record of records) Object.keys(record).forEach((name) => names.add(name));
  if (names.size <= MOST_NUMBERS) return records;
  throw new FileError(path, `expected the log of a training, received ${names.size} different numbers`);
}
