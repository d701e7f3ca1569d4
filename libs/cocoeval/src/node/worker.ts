/** A thread of `evaluateFilesInThreads`: answers with the matches of its share of the images. */
import { parentPort, workerData } from 'node:worker_threads';
import { CocoFormatError } from '../format/errors';
import { evaluateShare, type Answer, type Task } from './evaluate-files';

parentPort?.postMessage(answer(workerData as Task));

function answer(task: Task): Answer {
  try {
    return { matches: evaluateShare(task).store.pack() };
  } catch (error) {
    if (!(error instanceof CocoFormatError)) throw error;
    return { problem: error.message };
  }
}
