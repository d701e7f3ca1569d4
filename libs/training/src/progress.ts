/** The progress of a run for the person who waits: a block on a terminal, a line every ten seconds elsewhere, or JSON. */
import { type Live, openLive, withoutControls } from '@pyramidal/program';
import { sparkline } from './sparkline';

/** How far a run is. */
export interface ProgressState {
  /** Updates done. */
  readonly step: number;
  readonly epoch: number;
  readonly lr: number;
  readonly samplesPerSecond: number;
  /** The loss and its parts, means since the state before. */
  readonly losses: Readonly<Record<string, number>>;
}

/** What an evaluation found. */
export interface Score {
  readonly step: number;
  readonly epoch: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** The metric that decides, and its best value until now, this one included. */
  readonly best?: { readonly metric: string; readonly value: number };
}

/** How a run shows itself to the person or the program that waits for it. */
export interface Progress {
  show(state: ProgressState): void;
  evaluated(score: Score): void;
  say(line: string): void;
  /** Like `say`, for what a person must see even when all else is quiet. */
  warn(line: string): void;
  stop(): void;
}

/** `live`: for people; `quiet`: warnings only; `json`: a JSON object a line on standard output, for programs. */
export type ProgressStyle = 'live' | 'quiet' | 'json';

/** The length of a run and how its progress is shown. */
export interface ProgressOptions {
  /** Updates of the whole run. */
  readonly total: number;
  readonly samplesPerUpdate: number;
  /** Default `live`. */
  readonly style?: ProgressStyle;
  /** Default standard error, for `json` standard output. */
  readonly stream?: NodeJS.WritableStream;
}

/** The progress of a run in the style asked for. */
export function createProgress({ style = 'live', ...options }: ProgressOptions): Progress {
  return STYLES[style](options);
}

type Layout = Omit<ProgressOptions, 'style'>;

const STYLES: Readonly<Record<ProgressStyle, (layout: Layout) => Progress>> = {
  live,
  quiet({ stream = process.stderr }) {
    const nothing = (): void => undefined;
    return { show: nothing, evaluated: nothing, say: nothing, warn: (line) => writeLine(stream, line), stop: nothing };
  },
  json({ total, stream = process.stdout }) {
    const write = (record: object): void => writeLine(stream, JSON.stringify(record));
    return {
      show: (state) => write({ kind: 'train', ...state, total }),
      evaluated: (score) => write({ kind: 'evaluation', ...score }),
      say: (text) => write({ kind: 'note', text }),
      warn: (text) => write({ kind: 'warning', text }),
      stop: () => undefined,
    };
  },
};

const writeLine = (stream: NodeJS.WritableStream, line: string): void =>
  void stream.write(`${withoutControls(line)}\n`);

/** Losses that the curve of the block shows. */
const CURVE = 32;

function live({ total, samplesPerUpdate, ...options }: Layout): Progress {
  const history: number[] = [];
  let score: Score | undefined;
  const display: Live<ProgressState> = openLive({
    ...options,
    always: ({ step }) => step === total,
    line: (state) => `step ${state.step}/${total} | ${describe(state, total, samplesPerUpdate)}`,
    block(state) {
      const { step, epoch, lr, samplesPerSecond } = state;
      const left = duration(((total - step) * samplesPerUpdate) / samplesPerSecond);
      const rate = `${samplesPerSecond.toFixed(1)} images/s | lr ${lr.toExponential(2)} | ${memory()}`;
      return [
        `${bar(step / total)} step ${step}/${total} | epoch ${epoch.toFixed(2)} | ${left} left`,
        `${sparkline(history)} ${describeLosses(state.losses)}`,
        rate,
        ...(score === undefined ? [] : [describeScore(score)]),
      ];
    },
  });
  const say = (line: string): void => display.say(line);
  return {
    show(state) {
      history.push(state.losses['loss'] ?? NaN);
      if (history.length > CURVE) history.shift();
      display.show(state);
    },
    evaluated(latest) {
      score = latest;
      const shown = Object.entries(latest.metrics).map(([name, value]) => `${name} ${short(value)}`);
      say(`evaluation after step ${latest.step}: ${shown.join(', ')}`);
    },
    say,
    warn: say,
    stop: () => display.stop({ keep: true }),
  };
}

const BAR = 24;

function bar(share: number): string {
  const filled = Math.round(BAR * share);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${Math.floor(100 * share)} %`;
}

/** The loss first, then its parts. */
function describeLosses({ loss = NaN, ...parts }: Readonly<Record<string, number>>): string {
  const names = Object.entries(parts).map(([name, value]) => `${name} ${value.toPrecision(3)}`);
  return [`loss ${loss.toPrecision(4)}`, ...names].join(' | ');
}

function describeScore({ step, metrics, best }: Score): string {
  if (best === undefined) return `evaluated after step ${step}`;
  const value = metrics[best.metric] ?? NaN;
  return `${best.metric} ${short(value)} after step ${step}, best ${short(best.value)}`;
}

const short = (value: number): number => Number(value.toPrecision(5));
const memory = (): string => `${(process.memoryUsage.rss() / 1e9).toFixed(1)} GB`;

function describe(state: ProgressState, total: number, samplesPerUpdate: number): string {
  const { step, epoch, losses, lr, samplesPerSecond } = state;
  const left = ((total - step) * samplesPerUpdate) / samplesPerSecond;
  const loss = (losses['loss'] ?? NaN).toPrecision(4);
  const numbers = `loss ${loss} | lr ${lr.toExponential(2)} | ${samplesPerSecond.toFixed(1)} images/s`;
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
