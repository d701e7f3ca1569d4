/** How workers share the batches of an update. */
import { WorkerError } from './worker-error';

/** What an update of a run takes, as its configuration says for one process. */
export interface UpdateSize {
  readonly batchSize: number;
  /** Batches of an update. */
  readonly accumulation: number;
}

/** One worker's part of the batches, which are the same for all. */
export interface Share {
  /** Which batch of each `lanes` ones. */
  readonly lane: number;
  readonly lanes: number;
  /** Which of the equal parts of the batch. */
  readonly part: number;
  readonly parts: number;
}

/**
 * An update has the same images whatever the number of workers: they take its batches side by side; where those do not
 * suffice, several share one.
 * @throws WorkerError if that leaves parts of different size.
 */
export function shareOf(
  { index, count }: { index: number; count: number },
  { batchSize, accumulation }: UpdateSize,
): Share {
  const lanes = greatestDivisor(count, accumulation);
  const parts = count / lanes;
  if (batchSize % parts !== 0) {
    throw new WorkerError(
      `${count} workers cannot share ${accumulation === 1 ? '' : `${accumulation} batches of `}${batchSize} images evenly; expected ` +
        `train.accumulation, or train.batchSize, to be a multiple of their number`,
      2,
    );
  }
  return { lane: Math.floor(index / parts), lanes, part: index % parts, parts };
}

/** Every whole batch of a list, one after the other, in turn: for what counts each image once. */
export const turnOf = ({ index, count }: { index: number; count: number }): Share => ({
  lane: index,
  lanes: count,
  part: 0,
  parts: 1,
});

/** The seeds of a worker's random draws: those of one process where it takes whole batches, others for each part of one. */
export function seedsOf({ lane, lanes, part }: Share) {
  return (seed: number, batch: number): [number, number] => [
    (seed + Math.imul(part, GOLDEN_RATIO)) | 0,
    batch * lanes + lane,
  ];
}

/** Of 2^32: multiples of it lie far apart (Knuth, section 6.4). */
const GOLDEN_RATIO = 0x9e3779b1;

const greatestDivisor = (a: number, b: number): number => (b === 0 ? a : greatestDivisor(b, a % b));
