/** A count on standard error for what takes long. */
/** Milliseconds between two words of how far it is: on a terminal, where they replace each other, and elsewhere. */
const PAUSE = { terminal: 200, elsewhere: 10_000 };

export interface CountProgress {
  /** One more is done. */
  add(): void;
  /** Leaves the line to others. */
  stop(): void;
}

/**
 * Tells on standard error how many of `total` are done, for what takes long; what does not is over before it says anything.
 * @param what they are, such as `images`.
 */
export function countProgress(total: number, what: string): CountProgress {
  const { stderr } = process;
  const [pause, start, end] = stderr.isTTY ? [PAUSE.terminal, '\r', ''] : [PAUSE.elsewhere, '', '\n'];
  let next = performance.now() + pause;
  let done = 0;
  let told = false;
  return {
    add() {
      done++;
      const now = performance.now();
      if (now < next) return;
      next = now + pause;
      told = true;
      stderr.write(`${start}${done}/${total} ${what}${end}`);
    },
    stop() {
      if (told && stderr.isTTY) stderr.write('\r\x1b[K');
    },
  };
}
