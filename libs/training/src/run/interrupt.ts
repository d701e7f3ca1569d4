/** Requests to stop (Ctrl-C, SIGTERM): the first ends the run after its update, the second at once. */

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

type StopSignal = keyof typeof SIGNALS;

/** Ctrl-C and termination, asked for politely. */
export interface Interrupt {
  /** Aborted by the first request to stop. */
  readonly signal: AbortSignal;
  /** The code that the program should end with: 130 after Ctrl-C, 143 after SIGTERM; 0 while nobody asked. */
  readonly exitCode: number;
  release(): void;
}

/**
 * Watches for requests to stop. The first one is announced and noted; the second one ends the process at once.
 * @param announce is called at the first request.
 */
export function watchInterrupts(announce: () => void): Interrupt {
  const controller = new AbortController();
  let exitCode = 0;
  const listeners = (Object.keys(SIGNALS) as StopSignal[]).map((name) => {
    const listener = (): void => {
      if (exitCode !== 0) process.exit(SIGNALS[name]);
      exitCode = SIGNALS[name];
      announce();
      controller.abort();
    };
    process.on(name, listener);
    return { name, listener };
  });
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    release: () => listeners.forEach(({ name, listener }) => process.off(name, listener)),
  };
}
