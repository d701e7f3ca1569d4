/** An installation's progress on the terminal. */
import cliProgress, { type SingleBar } from 'cli-progress';
import type { InstallProgress } from './progress';

/** Progress for the terminal, and a way to take the bar off it. */
export interface ShownProgress extends InstallProgress {
  end(): void;
}

/** A bar where people watch, plain lines where a log is kept. */
export function showProgress(stream: NodeJS.WriteStream = process.stderr): ShownProgress {
  return stream.isTTY ? drawBar(stream) : writeLines(stream);
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);

/** Seldom enough for the time left, an average over the last updates, to stay calm. */
const REDRAW_MS = 200;

function drawBar(stream: NodeJS.WriteStream): ShownProgress {
  let bar: SingleBar | undefined;
  let drawn = 0;
  const end = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    step(text) {
      end();
      stream.write(`${text}\n`);
    },
    bytes(done, total) {
      if (!total) return;
      if (!bar) {
        const format = '  [{bar}] {percentage} % of {megabytes} MB, {eta_formatted} left';
        bar = new cliProgress.SingleBar({ format, stream, hideCursor: true, clearOnComplete: true, etaBuffer: 25 });
        bar.start(total, done, { megabytes: megabytes(total) });
      }
      const now = performance.now();
      if (now - drawn > REDRAW_MS) {
        drawn = now;
        bar.update(done);
      }
      if (done >= total) end();
    },
    end,
  };
}

/** One line a step, and one for every quarter of a large transfer. */
function writeLines(stream: NodeJS.WriteStream): ShownProgress {
  let nextQuarter = 1;
  return {
    step(text) {
      nextQuarter = 1;
      stream.write(`${text}\n`);
    },
    bytes(done, total) {
      if (!total || total < 20e6) return;
      if (done < (nextQuarter * total) / 4) return;
      stream.write(`  ${megabytes(done)} of ${megabytes(total)} MB\n`);
      nextQuarter = Math.floor((4 * done) / total) + 1;
    },
    end: () => undefined,
  };
}
