/** A count on standard error for what takes long; what does not is over before it says anything. */
import { openLive } from '@pyramidal/program';

/** Counts what is done. */
export interface CountProgress {
  /** One more is done. */
  add(): void;
  /** Leaves the line to others. */
  stop(): void;
}

/**
 * Tells on standard error how many of `total` are done.
 * @param what they are, such as `images`.
 */
export function countProgress(total: number, what: string): CountProgress {
  const line = (done: number): string => `${done}/${total} ${what}`;
  const live = openLive<number>({ block: (done) => [line(done)], line, patient: true });
  let done = 0;
  return { add: () => live.show(++done), stop: () => live.stop() };
}
