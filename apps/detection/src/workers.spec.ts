/** Several processes train and evaluate a detector as one does. */
import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { launch } from '@pyramidal/distributed';
import { expectClose, hasNative } from '@pyramidal/testing';
import { makeToy } from './testing/toy';

const MAIN = ['-C', '@pyramidal/source', '--import', 'tsx', resolve(__dirname, 'main.ts')];
const UPDATES = 20;
const FILES = ['metrics.json', 'bbox.json', 'segm.json'];
const SETTINGS = [
  // Small steps: Adam and momentum blow up rounding.
  ...[
    'train.optimizer={ name: sgd, lr: 0.001, momentum: 0 }',
    `train.epochs=${UPDATES}`,
    `evaluation.every=${UPDATES}`,
  ],
  // Batch norms take all images, and everything is learned from: what is drawn of it would differ.
  ...['train.syncBatchNorm=true', 'model.detector.anchorSample={ count: 2000 }'],
  'model.detector.roiSample={ count: 200, positiveShare: 1 }',
];

let folder: string;
let config: string;
beforeAll(async () => ({ folder, config } = await makeToy()));
afterAll(() => rmSync(folder, { recursive: true }));

async function run(workers: number, ...args: string[]): Promise<void> {
  const said: string[] = [];
  const code = await launch({ command: [process.execPath, ...MAIN, ...args], workers, say: (line) => said.push(line) });
  expect({ code, said }).toMatchObject({ code: 0 });
}

const lossesOf = (name: string): number[] =>
  readFileSync(join(folder, name, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind: string; loss: number })
    .flatMap(({ kind, loss }) => (kind === 'train' ? loss : []));

const onNative = hasNative() ? describe : describe.skip;

onNative('two workers (skipped without native TensorFlow)', () => {
  jest.setTimeout(300_000);

  beforeAll(async () => {
    const settings = SETTINGS.flatMap((set) => ['--set', set]);
    for (const workers of [1, 2])
      await run(workers, 'train', config, '--out', join(folder, `of${workers}`), ...settings);
  });

  it('lose what one with the joined batch loses', () => {
    expect(lossesOf('of1')).toHaveLength(UPDATES);
    expectClose(lossesOf('of2'), lossesOf('of1'), { atol: 1e-5 }, 'losses');
  });

  it('find what one finds, to the last bit', async () => {
    for (const workers of [1, 2]) {
      const out = join(folder, `eval${workers}`);
      await run(workers, 'eval', '--weights', join(folder, 'of1'), '--out', out, '--set', 'evaluation.batchSize=1');
    }
    for (const file of FILES) {
      const [one, several] = ['eval1', 'eval2'].map((name) => readFileSync(join(folder, name, file), 'utf8'));
      expect(several).toBe(one);
    }
  });
});
