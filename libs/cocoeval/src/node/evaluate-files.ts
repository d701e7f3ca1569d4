/** Evaluation of files, in this thread or in several. */
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { accumulate } from '../evaluate/accumulate';
import { CocoFormatError } from '../format/errors';
import { CocoReport } from '../report/coco-report';
import { categoriesOf, evaluateImages } from '../evaluator';
import type { GroundTruth } from '../dataset/ground-truth';
import { ImageEvaluator } from '../evaluate/image-evaluator';
import { everyImage, sharedImages } from '../dataset/images';
import { MatchStore, type PackedMatches } from '../evaluate/match-store';
import { keypointCount, toParams, type EvaluationOptions } from '../evaluate/options';
import type { Params } from '../evaluate/params';
import { readDetections, readGroundTruth } from './files';

/** Evaluates a results file against a dataset file; of both, only what is compared is kept in memory. */
export function evaluateFiles(gtPath: string, dtPath: string, options: EvaluationOptions = {}): CocoReport {
  const { truth, params, store } = evaluateShare({ gtPath, dtPath, options, share: 0, shares: 1 });
  return new CocoReport(params, accumulate(store, params), categoriesOf(truth, params));
}

/**
 * The same in several threads, each comparing its share of the images.
 * @param threads how many, this one among them; of more than there are cores (and than 8) none is started.
 */
export async function evaluateFilesInThreads(
  gtPath: string,
  dtPath: string,
  { threads, ...options }: EvaluationOptions & { readonly threads: number },
): Promise<CocoReport> {
  if (!Number.isInteger(threads) || threads < 1) {
    throw new CocoFormatError(`threads: expected a whole number of at least 1, received ${threads}`);
  }
  // Each reads the files for itself.
  const shares = Math.min(threads, Math.max(availableParallelism(), 8));
  const task = (share: number): Task => ({ gtPath, dtPath, options, share, shares });
  const others = Array.from({ length: shares - 1 }, (_, i) => inThread(task(i + 1)));
  try {
    const { truth, params, store } = evaluateShare(task(0));
    for (const { matches } of others) store.append(MatchStore.unpack(await matches));
    return new CocoReport(params, accumulate(store, params), categoriesOf(truth, params));
  } finally {
    await Promise.all(others.map(({ worker }) => worker.terminate()));
  }
}

/** One thread's part: the images whose id leaves the remainder `share` when divided by `shares`. */
export interface Task {
  readonly gtPath: string;
  readonly dtPath: string;
  readonly options: EvaluationOptions;
  readonly share: number;
  readonly shares: number;
}

/** A thread answers with its matches, or with the message of the error in its input. */
export type Answer = { readonly matches: PackedMatches } | { readonly problem: string };

/** Evaluates one thread's images. */
export function evaluateShare(task: Task): { truth: GroundTruth; params: Params; store: MatchStore } {
  const { gtPath, dtPath, options, share, shares } = task;
  const owns = shares === 1 ? everyImage : sharedImages(share, shares);
  const part = { iouType: options.iouType ?? 'bbox', points: keypointCount(options), owns };
  const truth = readGroundTruth(gtPath, part);
  const detections = readDetections(dtPath, truth, part);
  const params = toParams(options, truth);
  const evaluator = new ImageEvaluator(truth, params);
  const store = evaluator.newStore();
  evaluateImages(evaluator, detections, params.imgIds.filter(owns), store);
  return { truth, params, store };
}

interface Thread {
  readonly worker: Worker;
  readonly matches: Promise<PackedMatches>;
}

function inThread(task: Task): Thread {
  const worker = startWorker(task);
  const matches = new Promise<PackedMatches>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('a thread ended without an answer'))); // no effect after an answer
    worker.once('message', (answer: Answer) =>
      'matches' in answer ? resolve(answer.matches) : reject(new CocoFormatError(answer.problem)),
    );
  });
  matches.catch(() => undefined); // awaited later, or not at all where this thread fails first
  return { worker, matches };
}

/** Inside the workspace the sources run as they are, through tsx. */
function startWorker(task: Task): Worker {
  const file = join(__dirname, `worker${extname(__filename)}`);
  if (!file.endsWith('.ts')) return new Worker(file, { workerData: task });
  const tsx = createRequire(__filename).resolve('tsx/cjs');
  const start = `require(${JSON.stringify(tsx)}); require(${JSON.stringify(file)});`;
  return new Worker(start, { eval: true, execArgv: ['--conditions=@pyramidal/source'], workerData: task });
}
