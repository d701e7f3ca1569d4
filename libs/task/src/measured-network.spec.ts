import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportWeights, writeSafetensors } from '@pyramidal/checkpoints';
import { evaluationSchema, runtimeSchema, trainSchema, z } from '@pyramidal/config';
import { Linear } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { withMeasuredNetwork } from './measured-network';

const schema = z.strictObject({ train: trainSchema, evaluation: evaluationSchema, runtime: runtimeSchema });
const CONFIG = 'train: { epochs: 1, batchSize: 1, optimizer: { name: adamw, lr: 0.1 } }\nruntime: { engine: cpu }\n';

describe('withMeasuredNetwork', () => {
  let folder: string;
  let told: jest.SpyInstance;
  beforeAll(async () => {
    await openRuntime({ engine: 'cpu' });
    folder = mkdtempSync(join(tmpdir(), 'measured-'));
    writeFileSync(join(folder, 'x.yaml'), CONFIG);
    mkdirSync(join(folder, 'run'));
    const network = new Linear(2, 2);
    network.initialize(7);
    const weights = await exportWeights(network);
    for (const name of ['run/best.safetensors', 'lone.safetensors']) writeSafetensors(join(folder, name), weights);
    network.dispose();
    const split = { share: 0.5, seed: 0, training: 3, validation: ['a', 'b', 'c'] };
    writeFileSync(join(folder, 'run/split.json'), JSON.stringify(split));
  });
  beforeEach(() => (told = jest.spyOn(console, 'error').mockImplementation()));
  afterEach(() => told.mockRestore());
  afterAll(() => rmSync(folder, { recursive: true }));

  const measure = async (heldOut: readonly string[] | undefined, file = 'run/best.safetensors'): Promise<string[]> => {
    const task = {
      ...{ task: 'test', schema },
      assemble: (_: unknown, classes: number) => new Linear(2, classes),
      openMeasured: async () => ({ classes: ['x', 'y'], notes: ['one thing'], heldOut }),
      modelClasses: () => [],
      sourceOf: () => 'data.val',
    };
    const command = { config: join(folder, 'x.yaml'), set: [], weights: join(folder, file), out: folder };
    await withMeasuredNetwork(task, command, async ({ data }) => expect(data.heldOut).toBe(heldOut));
    return told.mock.calls.flat().slice(2);
  };

  it('says what of the images is worth knowing', async () => {
    expect(await measure(undefined)).toEqual(['one thing']);
  });

  it('says nothing more of the images that the run held out, nor of a checkpoint without a run', async () => {
    expect(await measure(['c', 'a', 'b'])).toEqual(['one thing']);
    told.mockClear();
    expect(await measure(['d'], 'lone.safetensors')).toEqual(['one thing']);
  });

  it.each([
    [
      ['a', 'b', 'd', 'e'],
      '2 of these 4 images are not among the 3 that the run held out',
      ': the network may have learned from them',
    ],
    [['a', 'b'], 'these 2 images are some of the 3 that the run held out', ''],
  ])('compares %j with them', async (heldOut, count, rest) => {
    const [, line] = await measure(heldOut);
    expect(line).toBe(`data.val: ${count} (${join(folder, 'run/split.json')})${rest}`);
  });
});
