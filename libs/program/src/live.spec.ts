import { PassThrough } from 'node:stream';
import { openLive } from './live';

interface Heard {
  readonly stream: NodeJS.WritableStream;
  text(): string;
}

function listen(isTTY: boolean, columns = 20): Heard {
  let text = '';
  const stream = Object.assign(new PassThrough(), { isTTY, columns });
  stream.on('data', (chunk) => (text += String(chunk)));
  return { stream, text: () => text };
}

/** What a terminal shows after the text: the few control sequences that are used, and nothing else. */
function screen(text: string): string[] {
  const rows: string[] = [''];
  let row = 0;
  // eslint-disable-next-line no-control-regex
  for (const [token] of text.matchAll(/\x1b\[\d*[AJ]|[^]/gu)) {
    if (token === '\n') rows[++row] ??= '';
    else if (token === '\r') continue;
    else if (token.endsWith('A')) row -= Number(token.slice(2, -1));
    else if (token.endsWith('J')) rows.splice(row, rows.length, '');
    else if (!token.startsWith('\x1b')) rows[row] += token;
  }
  return rows;
}

const count = { block: (n: number) => [`${n} done`, 'more'], line: (n: number) => `${n} done` };

describe('openLive', () => {
  let now = 0;
  beforeEach(() => {
    now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => jest.restoreAllMocks());

  it('draws its block anew below what is said, and takes it away', () => {
    const { stream, text } = listen(true);
    const live = openLive({ ...count, stream });
    live.show(1);
    now = 200;
    live.say('saved');
    live.show(2);
    expect(screen(text())).toEqual(['saved', '2 done', 'more', '']);
    live.stop();
    expect(screen(text())).toEqual(['saved', '']);
  });

  it('leaves the newest block there when asked, also one that came too soon to be drawn', () => {
    const { stream, text } = listen(true);
    const live = openLive({ ...count, stream });
    live.show(1);
    live.show(2);
    expect(screen(text())).toEqual(['1 done', 'more', '']);
    live.stop({ keep: true });
    expect(screen(text())).toEqual(['2 done', 'more', '']);
  });

  it('cuts lines that would wrap, by characters and not by code units', () => {
    const { stream, text } = listen(true, 5);
    openLive({ block: () => ['🟦🟦🟦🟦🟦🟦🟦'], line: String, stream }).show(0);
    expect(screen(text())).toEqual(['🟦🟦🟦🟦', '']);
  });

  it('writes a line every ten seconds elsewhere, and at once what must always be seen', () => {
    const { stream, text } = listen(false);
    const live = openLive({ ...count, stream, always: (n) => n === 9 });
    for (const [time, n] of [
      [0, 1],
      [9_999, 2],
      [10_000, 3],
      [10_001, 9],
    ] as const) {
      now = time;
      live.show(n);
    }
    live.say('saved');
    live.stop();
    expect(text()).toBe('1 done\n3 done\n9 done\nsaved\n');
  });

  it('says nothing of work that is over at once', () => {
    for (const isTTY of [true, false]) {
      const { stream, text } = listen(isTTY);
      const live = openLive({ ...count, stream, patient: true });
      live.show(1);
      live.stop();
      expect(screen(text())).toEqual(['']);
    }
  });
});
