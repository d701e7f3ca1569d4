/** How far long work is: a block of lines that a terminal draws anew in place, a plain line now and then in a log. */

import { withoutControls } from './describe-error';

/** Milliseconds between two drawings on a terminal, and between two lines elsewhere. */
const PAUSE = { terminal: 100, elsewhere: 10_000 };

/** How a state is written. */
export interface LiveOptions<State> {
  /** The lines of a terminal, for the columns it has; longer ones are cut. */
  readonly block: (state: State, columns: number) => readonly string[];
  /** The one line of a log. */
  readonly line: (state: State) => string;
  /** Default standard error. */
  readonly stream?: NodeJS.WritableStream;
  /** Whether a state is shown in a log although the last line is not old; default never. */
  readonly always?: (state: State) => boolean;
  /** Wait one pause before the first word, for work that may be over at once; default false. */
  readonly patient?: boolean;
}

/** What shows how far work is, while other lines may be written above it. */
export interface Live<State> {
  show(state: State): void;
  say(line: string): void;
  /** Ends the display; its last block stays there with `keep`, else it goes. */
  stop(options?: { readonly keep?: boolean }): void;
}

/** A block at the bottom of a terminal, else a line every ten seconds. */
export function openLive<State>({ stream = process.stderr, ...options }: LiveOptions<State>): Live<State> {
  return 'isTTY' in stream && stream.isTTY === true ? drawBlock(options, stream) : writeLines(options, stream);
}

type How<State> = Omit<LiveOptions<State>, 'stream'>;

const up = (lines: number): string => (lines > 0 ? `\x1b[${lines}A` : '');
const CLEAR_BELOW = '\r\x1b[J';

function drawBlock<State>({ block, patient }: How<State>, stream: NodeJS.WritableStream): Live<State> {
  let shown: State | undefined;
  let height = 0;
  let next = patient === true ? performance.now() + PAUSE.terminal : 0;
  const erase = (): string => {
    const text = height > 0 ? `${up(height)}${CLEAR_BELOW}` : '';
    height = 0;
    return text;
  };
  const draw = (): string => {
    if (shown === undefined) return '';
    const columns = ('columns' in stream && Number(stream.columns)) || 80;
    const lines = block(shown, columns).map((line) => [...line].slice(0, columns - 1).join(''));
    height = lines.length;
    return `${lines.join('\n')}\n`;
  };
  return {
    show(state) {
      shown = state;
      const now = performance.now();
      if (now < next) return;
      next = now + PAUSE.terminal;
      stream.write(erase() + draw());
    },
    say: (line) => void stream.write(`${erase()}${withoutControls(line)}\n${draw()}`),
    stop({ keep = false } = {}) {
      stream.write(erase() + (keep ? draw() : ''));
      height = 0;
      shown = undefined;
    },
  };
}

function writeLines<State>({ line, always, patient }: How<State>, stream: NodeJS.WritableStream): Live<State> {
  let next = patient === true ? performance.now() + PAUSE.elsewhere : 0;
  const say = (text: string): void => void stream.write(`${withoutControls(text)}\n`);
  return {
    show(state) {
      const now = performance.now();
      if (now < next && always?.(state) !== true) return;
      next = now + PAUSE.elsewhere;
      say(line(state));
    },
    say,
    stop: () => undefined,
  };
}
