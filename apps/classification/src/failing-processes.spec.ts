/**
 * Processes that must fail, a few in every suite and hundreds with `nx run classification:test-stress`: an error that is on its
 * way while threads are stopped must never be lost, and with it the exit code.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blankImage, encodeImage } from '@pyramidal/images';

const PROCESSES = Number(process.env['PYRAMIDAL_STRESS'] ?? 10);
/** More than there are processors: the order of events then differs from process to process. */
const AT_ONCE = PROCESSES > 10 ? 8 : 4;

const CONFIG = `data: { root: DATA, workers: 1 }
model: { backbone: { name: groupmixformer_miny, channels: [10, 10, 10, 10], depths: [1, 1, 1, 1] } }
input: { size: 32 }
train: { epochs: 1, batchSize: 2, optimizer: { name: adamw, lr: 1.0e-3 }, schedule: { name: cosine }, logEvery: 1 }
runtime: { engine: cpu, compile: false }
`;

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'failing-'));
  writeFileSync(join(folder, 'toy.yaml'), CONFIG.replace('DATA', join(folder, 'data')));
  const whole = await encodeImage(blankImage({ width: 32, height: 32 }, [200, 30, 30]), 'jpeg');
  const page = Buffer.from('<html><body>404: no such picture</body></html>');
  for (const [name, broken] of Object.entries({ data: whole, cut: whole.subarray(0, whole.length / 2), page })) {
    for (const split of ['train', 'val']) {
      for (const [label, last] of [
        ['a', whole],
        ['b', split === 'train' ? broken : whole],
      ] as const) {
        // prettier-ignore
        const pictures = join(folder, name, split, label);
        mkdirSync(pictures, { recursive: true });
        for (let i = 0; i < 4; i++) writeFileSync(join(pictures, `${i}.jpg`), i < 3 ? whole : last);
      }
    }
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ending {
  readonly code: number;
  readonly last: string;
}

function start(args: readonly string[]): Promise<Ending> {
  const main = ['-C', '@pyramidal/source', '--import', 'tsx', join(__dirname, 'main.ts')];
  return new Promise((done) => {
    execFile(process.execPath, [...main, ...args], (error, _stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), last: stderr.trimEnd().split('\n').at(-1)! });
    });
  });
}

const train = (data: string, out: string, ...more: string[]): string[] =>
  ['train', join(folder, 'toy.yaml'), '--out', join(folder, out), '--set', `data.root=${join(folder, data)}`].concat(
    more,
  );

/** Ways to fail while threads are at work, and the one line that says it. */
const WAYS: readonly { readonly args: (out: string) => string[]; readonly message: RegExp }[] = [
  { args: (out) => train('cut', out), message: /^\S*cut\/train\/b\/3\.jpg: cannot be decoded: / },
  { args: (out) => train('page', out), message: /^\S*page\/train\/b\/3\.jpg: cannot be decoded: / },
  {
    args: (out) => train('data', out, '--set', 'train.optimizer.lr=1e38', '--set', 'train.epochs=8'),
    message: /finite|NaN/,
  },
];

it(
  `${PROCESSES} processes that must fail end with 1 and say why`,
  async () => {
    const wrong: object[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let i = next++; i < PROCESSES; i = next++) {
        const { args, message } = WAYS[i % WAYS.length]!;
        const { code, last } = await start(args(`run-${i}`));
        if (code !== 1 || !message.test(last)) wrong.push({ process: i, code, last });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    expect(wrong).toEqual([]);
  },
  60_000 + 10_000 * PROCESSES,
);
