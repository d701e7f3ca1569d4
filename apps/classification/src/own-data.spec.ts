/** What people expect of training on data of their own: weights to start from, and a share of it to measure on. */
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '@pyramidal/checkpoints';
import { classify, makeToy, writePictures, writeSet } from './testing/toy';

const EAGER = 'runtime.compile=false';

let folder: string;
let config: string;
let remarks: string[];

beforeAll(async () => {
  ({ folder, config } = await makeToy());
  jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
  jest.spyOn(console, 'log').mockImplementation();
  jest.spyOn(console, 'error').mockImplementation((line: string) => void remarks.push(line));
});

beforeEach(() => (remarks = []));

afterAll(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** Trains for a moment. */
const train = (run: string, ...set: readonly string[]) =>
  classify(`train ${config} --out ${join(folder, run)}`, EAGER, 'train.epochs=1', 'evaluation.every=1', ...set);

const done = { code: 0, message: '' };

it('fine-tuning leaves the frozen stages as they were, and says that the head starts anew', async () => {
  expect(await train('first')).toEqual(done);
  const root = join(folder, 'four');
  await writeSet(root);
  for (const split of ['train', 'val']) await writePictures(join(root, split, 'grey'), [90, 90, 90]);
  const weights = `model.weights=${folder}/first/last.safetensors`;
  expect(await train('tuned', `data.root=${root}`, weights, 'model.freeze=2')).toEqual(done);
  expect(remarks).toContainEqual(expect.stringContaining('head: 3 classes in the file, 4 here'));
  expect(remarks).toContainEqual(expect.stringMatching(/^frozen: the stem and 2 of 4 stages of the backbone; /));
  const [before, after] = [tensorsOf('first'), tensorsOf('tuned')];
  const still = [...before.keys()].filter((name) => after.get(name)?.equals(before.get(name)!) === true);
  expect(still.filter((name) => !name.startsWith('optimizer.')).length).toBeGreaterThan(20);
  expect(still.filter((name) => after.has(`optimizer.exp_avg.${name}`))).toEqual([]);
});

describe('a share of the training set', () => {
  const HELD = 'data.val.share=0.34';

  it('stays the same when the run goes on, or the run is refused; eval says so when it measures on another', async () => {
    expect(await train('held', HELD)).toEqual(done);
    const last = readFileSync(join(folder, 'held/metrics.jsonl'), 'utf8').trim().split('\n').at(-1)!;
    expect(JSON.parse(last)).toMatchObject({ kind: 'evaluation', loss: expect.any(Number) });
    const line = `train ${config} --out ${folder}/held --resume`;
    const { code, message } = await classify(line, EAGER, 'train.epochs=2', 'data.val.share=0.7');
    expect([code, message]).toEqual([2, expect.stringMatching(/split\.json: the images held out .* are others/)]);
    expect(await classify(line, EAGER, 'train.epochs=2', HELD)).toEqual(done);

    const evaluated = `eval ${config} --weights ${folder}/held --out ${folder}/held-eval`;
    remarks = [];
    expect(await classify(evaluated, EAGER, HELD)).toEqual(done);
    expect(remarks.filter((remark) => remark.startsWith('data.val'))).toEqual([]);
    expect(await classify(evaluated, EAGER, 'data.val.share=0.7')).toEqual(done);
    expect(remarks).toContainEqual(
      expect.stringMatching(/^data\.val: 3 of these 6 images are not among the 3 that the run held out \(/),
    );
  });

  it('is needed by early stopping, as any set to measure on', async () => {
    const { code, message } = await train('blind', 'data.val=none', 'train.patience=2');
    expect(message.trim()).toBe('train.patience: expected images to evaluate on, and data.val is none');
    expect(code).toBe(2);
  });
});

it('images lie in folders below that of their class', async () => {
  const root = join(folder, 'nested');
  await writeSet(root);
  mkdirSync(join(root, 'train/red/zürich'));
  renameSync(join(root, 'train/red/0.png'), join(root, 'train/red/zürich/0.png'));
  expect(await classify(`data ${config}`, `data.root=${root}`, 'data.val=none')).toEqual(done);
  const printed = (console.log as jest.Mock).mock.calls.flat().join('\n');
  expect(printed).toMatch(/^training: 9 images$/m);
});

/** What is in the last checkpoint of a run, by name. */
function tensorsOf(run: string): Map<string, Buffer> {
  const file = readSafetensors(join(folder, run, 'last.safetensors'));
  const tensors = [...file.tensors].map(([name, { data }]) => {
    return [name, Buffer.from(Buffer.from(data.buffer, data.byteOffset, data.byteLength))] as const;
  });
  file.close();
  return new Map(tensors);
}
