/** Threads that help with an evaluation: one reads the results, and each compares its share of the images. */
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PackedDetections } from '../dataset/detections';
import type { PackedTruth } from '../dataset/ground-truth';
import type { PackedResults } from '../dataset/scanned-results';
import type { PackedMatches } from '../evaluate/match-store';
import type { EvaluationOptions } from '../evaluate/options';
import { CocoFormatError } from '../format/errors';
import type { IouType } from '../format/types';

/** Results to be read, where a thread begins with that. */
export interface ReadingTask {
  readonly path: string;
  readonly iouType: IouType;
}

/** One of several shares of the images to be compared. */
export interface ComparisonTask {
  readonly truth: PackedTruth;
  readonly detections: PackedDetections;
  readonly options: EvaluationOptions;
  readonly share: number;
  readonly shares: number;
}

/** What a thread answers to either task; results are missing where not all are plain. A problem is one in the input. */
export type Answer =
  { readonly results: PackedResults | undefined } | { readonly matches: PackedMatches } | { readonly problem: string };

/** A thread that may read results first, and then compares once. */
export class Thread {
  /** The results that it read; undefined if there were none to read, or not all are plain. */
  readonly results: Promise<PackedResults | undefined>;
  private readonly worker: Worker;

  constructor(task?: ReadingTask) {
    this.worker = startWorker(task);
    this.results = task === undefined ? Promise.resolve(undefined) : this.answer('results');
  }

  /** After `results`. @throws CocoFormatError if the input is wrong. */
  compare(task: ComparisonTask): Promise<PackedMatches> {
    this.worker.postMessage(task);
    return this.answer('matches');
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private answer<K extends 'results' | 'matches'>(kind: K): Promise<Extract<Answer, Record<K, unknown>>[K]> {
    const { worker } = this;
    const answer = new Promise<Extract<Answer, Record<K, unknown>>[K]>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('a thread ended without an answer'))); // no effect after an answer
      worker.once('message', (message: Answer) => {
        if ('problem' in message) reject(new CocoFormatError(message.problem));
        else resolve((message as Extract<Answer, Record<K, unknown>>)[kind]);
      });
    });
    answer.catch(() => undefined); // awaited later, or not at all where this thread fails first
    return answer;
  }
}

/** One of several shares of the images, which follow each other. */
export function shareOf(imageIds: readonly number[], share: number, shares: number): readonly number[] {
  const at = (index: number): number => Math.floor((index * imageIds.length) / shares);
  return imageIds.slice(at(share), at(share + 1));
}

/** Inside the workspace the sources run as they are, through tsx. */
function startWorker(task: ReadingTask | undefined): Worker {
  const file = join(__dirname, `worker${extname(__filename)}`);
  if (!file.endsWith('.ts')) return new Worker(file, { workerData: task });
  const tsx = createRequire(__filename).resolve('tsx/cjs');
  const start = `require(${JSON.stringify(tsx)}); require(${JSON.stringify(file)});`;
  return new Worker(start, { eval: true, execArgv: ['--conditions=@pyramidal/source'], workerData: task });
}
