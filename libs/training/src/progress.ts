/** The progress of a run for the person who waits: a bar on a terminal, a line every ten seconds elsewhere. */
import { MultiBar, Presets } from 'cli-progress';

/** How far a run is. */
export interface ProgressState {
  /** Updates done. */
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly lr: number;
  readonly samplesPerSecond: number;
}

/** How a run shows itself to the person who waits for it. */
export interface Progress {
  show(state: ProgressState): void;
  say(line: string): void;
  stop(): void;
}

/** The length of a run and where its progress is shown. */
interface ProgressOptions {
  /** Updates of the whole run. */
  readonly total: number;
  /** Updates done before. */
  readonly start: number;
  readonly samplesPerUpdate: number;
  readonly stream?: NodeJS.WriteStream | NodeJS.WritableStream;
}

/** A bar on a terminal, else a plain line now and then. */
export function createProgress({ stream = process.stderr, ...options }: ProgressOptions): Progress {
  return 'isTTY' in stream && stream.isTTY ? bar(options, stream) : lines(options, stream);
}

type Layout = Omit<ProgressOptions, 'stream'>;

function bar({ total, start, samplesPerUpdate }: Layout, stream: NodeJS.WritableStream): Progress {
  const format = '{bar} {percentage}% | {value}/{total} | {text}';
  const options = { format, stream, hideCursor: true, clearOnComplete: false, gracefulExit: false };
  const multi = new MultiBar(options, Presets.shades_grey);
  const single = multi.create(total, start, { text: 'starting' });
  return {
    show: (state) => single.update(state.step, { text: describe(state, total, samplesPerUpdate) }),
    say(line) {
      multi.log(`${line}\n`);
      multi.update();
    },
    stop: () => multi.stop(),
  };
}

const SECONDS_BETWEEN_LINES = 10;

function lines({ total, samplesPerUpdate }: Layout, stream: NodeJS.WritableStream): Progress {
  let next = 0;
  const say = (line: string): void => void stream.write(`${line}\n`);
  return {
    show(state) {
      const now = performance.now();
      if (now < next && state.step < total) return;
      next = now + SECONDS_BETWEEN_LINES * 1000;
      say(`step ${state.step}/${total} | ${describe(state, total, samplesPerUpdate)}`);
    },
    say,
    stop: () => undefined,
  };
}

function describe(state: ProgressState, total: number, samplesPerUpdate: number): string {
  const { step, epoch, loss, lr, samplesPerSecond } = state;
  const left = ((total - step) * samplesPerUpdate) / samplesPerSecond;
  const numbers = `loss ${loss.toPrecision(4)} | lr ${lr.toExponential(2)} | ${samplesPerSecond.toFixed(1)} images/s`;
  return `epoch ${epoch.toFixed(2)} | ${numbers} | ${duration(left)} left`;
}

/** `1:02:03` or `2:03`. */
function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-';
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const pad = (value: number): string => String(value).padStart(2, '0');
  const tail = pad(whole % 60);
  return hours > 0 ? `${hours}:${pad(minutes)}:${tail}` : `${minutes}:${tail}`;
}
