/** An installation's progress on the terminal. */
import { type Live, openLive } from '@pyramidal/program';
import type { InstallProgress } from './progress';

/** Progress for the terminal, and a way to take the bar off it. */
export interface ShownProgress extends InstallProgress {
  end(): void;
}

/** Bytes of a transfer that are done, of how many, and the milliseconds since it began. */
interface Transfer {
  readonly done: number;
  readonly total: number;
  readonly elapsed: number;
}

/** A bar where people watch, plain lines where a log is kept. */
export function showProgress(stream: NodeJS.WritableStream = process.stderr): ShownProgress {
  let transfer: { readonly live: Live<Transfer>; readonly start: number } | undefined;
  const end = () => {
    transfer?.live.stop();
    transfer = undefined;
  };
  return {
    step(text) {
      end();
      stream.write(`${text}\n`);
    },
    bytes(done, total) {
      if (!total) return;
      const now = performance.now();
      transfer ??= {
        live: openLive({ block: (state) => [bar(state)], line: howFar, stream, patient: true }),
        start: now,
      };
      transfer.live.show({ done, total, elapsed: now - transfer.start });
      if (done >= total) end();
    },
    end,
  };
}

const BAR = 30;

function bar(state: Transfer): string {
  const filled = Math.round((BAR * state.done) / state.total);
  return `  ${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${howFar(state).trimStart()}`;
}

function howFar({ done, total, elapsed }: Transfer): string {
  const seconds = Math.ceil(((total - done) / done) * (elapsed / 1000));
  const left = Number.isFinite(seconds) ? `, ${seconds} s left` : '';
  return `  ${megabytes(done)} of ${megabytes(total)} MB${left}`;
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
