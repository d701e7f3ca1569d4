/** Evaluation of files, in this thread or in several. */
import { availableParallelism } from 'node:os';
import { Detections } from '../dataset/detections';
import type { GroundTruth } from '../dataset/ground-truth';
import { ScannedResults } from '../dataset/scanned-results';
import { accumulate } from '../evaluate/accumulate';
import { MatchStore } from '../evaluate/match-store';
import { keypointCount, toParams, type EvaluationOptions } from '../evaluate/options';
import { categoriesOf, compare, evaluateAll } from '../evaluator';
import { CocoFormatError } from '../format/errors';
import { CocoReport } from '../report/coco-report';
import { bytesOf, readDetections, readGroundTruth } from './files';
import { shareOf, Thread } from './threads';

interface Remarks {
  /** Told, in one line, what makes the numbers doubtful. */
  readonly say?: (line: string) => void;
}

/** Evaluates a results file against a dataset file; of both, only what is compared is kept in memory. */
export function evaluateFiles(
  gtPath: string,
  dtPath: string,
  { say, ...options }: EvaluationOptions & Remarks = {},
): CocoReport {
  const points = keypointCount(options);
  const truth = readGroundTruth(gtPath, options.iouType ?? 'bbox', points);
  const detections = readDetections(dtPath, truth, points);
  if (options.useCategories !== false) tellStrangers(dtPath, truth, detections, say);
  const params = toParams(options, truth);
  return new CocoReport(params, evaluateAll(truth, detections, params), categoriesOf(truth, params));
}

/**
 * Bytes of both files from which on boxes are worth a second thread: it saves a third of the time, and takes a tenth of a second
 * to start. Masks are worth it before.
 */
const BOXES_WORTH_THREADS = 64 << 20;

/**
 * The same in several threads where these save time: one reads the dataset while another one reads the results, and each compares
 * its share of the images.
 * @param threads how many, this one among them; of more than there are cores (and than 8) none is started.
 */
export async function evaluateFilesInThreads(
  gtPath: string,
  dtPath: string,
  { threads, say, ...options }: EvaluationOptions & Remarks & { readonly threads: number },
): Promise<CocoReport> {
  if (!Number.isInteger(threads) || threads < 1) {
    throw new CocoFormatError(`threads: expected a whole number of at least 1, received ${threads}`);
  }
  const iouType = options.iouType ?? 'bbox';
  const shares = Math.min(threads, Math.max(availableParallelism(), 8));
  const isWorthThreads = iouType !== 'bbox' || bytesOf(gtPath) + bytesOf(dtPath) >= BOXES_WORTH_THREADS;
  if (shares === 1 || !isWorthThreads) return evaluateFiles(gtPath, dtPath, { ...options, ...(say && { say }) });
  const points = keypointCount(options);
  const reader = new Thread({ path: dtPath, iouType });
  const others = [reader, ...Array.from({ length: shares - 2 }, () => new Thread())];
  try {
    const truth = readGroundTruth(gtPath, iouType, points);
    const results = await reader.results;
    const scanned = results && Detections.fromScanned(ScannedResults.unpack(iouType, results), truth);
    const detections = scanned ?? readDetections(dtPath, truth, points);
    if (options.useCategories !== false) tellStrangers(dtPath, truth, detections, say);
    const params = toParams(options, truth);
    const task = { truth: truth.pack(), detections: detections.pack(), options, shares };
    const matches = others.map((thread, i) => thread.compare({ ...task, share: i + 1 }));
    const store = compare(truth, detections, params, shareOf(params.imgIds, 0, shares));
    for (const each of matches) store.append(MatchStore.unpack(await each));
    return new CocoReport(params, accumulate(store, params), categoriesOf(truth, params));
  } finally {
    await Promise.all(others.map((thread) => thread.end()));
  }
}

/** Results of categories that the dataset does not list count for nothing, as in pycocotools: labels in place of ids, perhaps. */
function tellStrangers(
  path: string,
  { categories }: GroundTruth,
  { categoryIds, length }: Detections,
  say: Remarks['say'],
): void {
  if (say === undefined) return;
  const known = new Set(categories.map(({ id }) => id));
  let [count, first] = [0, 0];
  for (let i = 0; i < length; i++) {
    const id = categoryIds.get(i);
    if (known.has(id)) continue;
    if (count === 0) first = id;
    count++;
  }
  if (count > 0) say(`${path}: ${count} of ${length} results are of categories that are not listed, such as ${first}`);
}
