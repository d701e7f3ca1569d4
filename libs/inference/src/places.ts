/** A bounded number of places, so that images in work need bounded memory. */

interface Waiting {
  readonly start: () => void;
  readonly signal: AbortSignal | undefined;
}

/** Places are given out in the order of asking. */
export class Places {
  private readonly waiting = new Set<Waiting>();
  private taken = 0;

  constructor(readonly count: number) {}

  /** Does a job once a place is free. @throws what the job throws; the signal's reason if it aborts before the job begins. */
  async use<T>(job: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.take(signal);
    try {
      return await job();
    } finally {
      this.taken--;
      this.startNext();
    }
  }

  private take(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.waiting.delete(place);
        reject(signal!.reason);
      };
      const place: Waiting = {
        signal,
        start: () => {
          signal?.removeEventListener('abort', leave);
          this.taken++;
          resolve();
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.waiting.add(place);
      this.startNext();
    });
  }

  private startNext(): void {
    for (const place of this.waiting) {
      if (this.taken >= this.count) return;
      this.waiting.delete(place);
      place.start();
    }
  }
}
