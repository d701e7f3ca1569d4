/** Several processes train and evaluate as one does. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { launch } from '@pyramidal/distributed';
import { expectClose, hasNative } from '@pyramidal/testing';
import type { Toy } from './program';

export interface WorkersOptions {
  /** Path of the program. */
  readonly main: string;
  readonly makeToy: () => Promise<Toy>;
  readonly workers: number;
  /** Settings under which workers learn from what one process learns from. */
  readonly settings: readonly string[];
  /** What `eval` writes. */
  readonly files: readonly string[];
}

const UPDATES = 20;

/** Node's options for a program in TypeScript. */
const TYPESCRIPT = ['-C', '@pyramidal/source', '--import', 'tsx'];

/** Small steps: Adam and momentum blow up rounding. */
const LEARNING = [
  'train.optimizer={ name: sgd, lr: 0.001, momentum: 0 }',
  `train.epochs=${UPDATES}`,
  `evaluation.every=${UPDATES}`,
];

/** Describes how a program's workers lose and find what one process does. The toy has one update an epoch. */
export function describeWorkers({ main, makeToy, workers, settings, files }: WorkersOptions): void {
  const onNative = hasNative() ? describe : describe.skip;

  onNative(`${workers} workers (skipped without native TensorFlow)`, () => {
    let toy: Toy;

    const run = async (count: number, ...args: string[]): Promise<void> => {
      const said: string[] = [];
      const command = [process.execPath, ...TYPESCRIPT, main, ...args] as const;
      const code = await launch({ command, workers: count, say: (line) => said.push(line) });
      expect({ code, said }).toMatchObject({ code: 0 });
    };

    const lossesOf = (name: string): number[] =>
      readFileSync(join(toy.folder, name, 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { kind: string; loss: number })
        .flatMap(({ kind, loss }) => (kind === 'train' ? loss : []));

    beforeAll(async () => {
      toy = await makeToy();
      const set = [...LEARNING, ...settings].flatMap((setting) => ['--set', setting]);
      for (const count of [1, workers]) {
        await run(count, 'train', toy.config, '--out', join(toy.folder, `of${count}`), ...set);
      }
    });

    afterAll(() => rmSync(toy.folder, { recursive: true }));

    it('lose what one loses', () => {
      expect(lossesOf('of1')).toHaveLength(UPDATES);
      expectClose(lossesOf(`of${workers}`), lossesOf('of1'), { atol: 1e-5 }, 'losses');
    });

    it('find what one finds, to the last bit', async () => {
      for (const count of [1, workers]) {
        const out = join(toy.folder, `eval${count}`);
        const weights = join(toy.folder, 'of1');
        await run(count, 'eval', '--weights', weights, '--out', out, '--set', 'evaluation.batchSize=1');
      }
      for (const file of files) {
        const [one, several] = [1, workers].map((count) =>
          readFileSync(join(toy.folder, `eval${count}`, file), 'utf8'),
        );
        expect(several).toBe(one);
      }
    });
  });
}
