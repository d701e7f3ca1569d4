/** What runs in a Thread: its two tasks. */
import { parentPort, workerData } from 'node:worker_threads';
import { Detections } from '../dataset/detections';
import { GroundTruth } from '../dataset/ground-truth';
import { toParams } from '../evaluate/options';
import { compare } from '../evaluator';
import { CocoFormatError } from '../format/errors';
import { readPlainResults } from './files';
import { shareOf, type Answer, type ComparisonTask, type ReadingTask } from './threads';

const reading = workerData as ReadingTask | undefined;
if (reading !== undefined) send({ results: readPlainResults(reading.path, reading.iouType)?.pack() });
parentPort?.once('message', (task: ComparisonTask) => send(answer(task)));

function answer({ options, share, shares, ...packed }: ComparisonTask): Answer {
  try {
    const truth = GroundTruth.unpack(packed.truth);
    const detections = Detections.unpack(truth, packed.detections);
    const params = toParams(options, truth);
    return { matches: compare(truth, detections, params, shareOf(params.imgIds, share, shares)).pack() };
  } catch (error) {
    if (!(error instanceof CocoFormatError)) throw error;
    return { problem: error.message };
  }
}

function send(message: Answer): void {
  parentPort?.postMessage(message);
}
