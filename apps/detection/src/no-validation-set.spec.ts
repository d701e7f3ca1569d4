import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CocoDataset, CocoResult } from '@cocoeval/ts';
import { detect, makeToy, writeAnnotations, writeSet } from './testing/toy';

/** A data set without validation images: a share of the training images takes their place, or nothing is measured. */
const FEW = ['train.epochs=2', 'evaluation.every=1', 'runtime.compile=false'];
const HELD = 'data.val={ share: 0.25, seed: 3 }';

let folder: string;
let config: string;
let remarks: string[];

beforeAll(async () => {
  ({ folder, config } = await makeToy());
  rmSync(join(folder, 'data/val.json'));
  jest.spyOn(console, 'log').mockImplementation();
  jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
});

beforeEach(() => {
  remarks = [];
  jest.spyOn(console, 'error').mockImplementation((text: string) => void remarks.push(text));
});

afterAll(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const json = <T>(file: string): T => JSON.parse(readFileSync(join(folder, file), 'utf8')) as T;

describe('a share of the training set', () => {
  it('is held out, written down, and what eval measures on', async () => {
    expect(await detect(`train ${config} --out ${folder}/held`, ...FEW, HELD)).toEqual({ code: 0, message: '' });
    const split = json<{ training: number; validation: string[] }>('held/split.json');
    expect(split).toEqual({ share: 0.25, seed: 3, training: 3, validation: [expect.stringMatching(/^\d\.png$/)] });
    expect(existsSync(join(folder, 'held/best.safetensors'))).toBe(true);

    const line = `eval ${config} --weights ${folder}/held --out ${folder}/held-eval`;
    expect(await detect(line, HELD)).toEqual({ code: 0, message: '' });
    expect(json<{ images: number }>('held-eval/metrics.json').images).toBe(1);
    const [held] = split.validation;
    const ids = json<CocoResult[]>('held-eval/bbox.json').map(({ image_id }) => image_id);
    expect(new Set(ids)).toEqual(new Set([10 + Number(held![0])]));
  });

  it('stays the same when the run goes on, or the run is refused', async () => {
    const before = json('held/split.json');
    const more = ['train.epochs=3', ...FEW.slice(1)];
    const line = `train ${config} --out ${folder}/held --resume`;
    const { code, message } = await detect(line, ...more, 'data.val={ share: 0.5, seed: 3 }');
    expect(code).toBe(2);
    expect(message).toMatch(/split\.json: the images held out for validation are others than when the run began/);
    expect(await detect(line, ...more, HELD)).toEqual({ code: 0, message: '' });
    expect(json('held/split.json')).toEqual(before);
  });
});

describe('eval of a checkpoint', () => {
  it('says so when it measures on other images than the run held out', async () => {
    const line = `eval ${config} --weights ${folder}/held --out ${folder}/other-eval`;
    expect(await detect(line, HELD)).toEqual({ code: 0, message: '' });
    expect(remarks.filter((remark) => remark.startsWith('data.val'))).toEqual([]);
    expect(await detect(line, 'data.val={ share: 0.5, seed: 3 }')).toEqual({ code: 0, message: '' });
    expect(remarks).toContainEqual(
      expect.stringMatching(
        /^data\.val: 1 of these 2 images are not among the 1 that the run held out \(.*split\.json\): the network may have learned from them$/,
      ),
    );
  });
});

describe('no validation', () => {
  it('ends before the first step where something depends on it', async () => {
    const set = [...FEW, 'data.val=none', 'train.patience=2'];
    const { code, message } = await detect(`train ${config} --out ${folder}/blind`, ...set);
    expect(message.trim()).toBe('train.patience: expected images to evaluate on, and data.val is none');
    expect(code).toBe(2);
  });

  it('trains, and keeps the last checkpoint alone', async () => {
    const run = join(folder, 'none');
    expect(await detect(`train ${config} --out ${run}`, ...FEW, 'data.val=none')).toEqual({ code: 0, message: '' });
    expect(remarks).toContain(
      'data.val is none: nothing is evaluated, and the last checkpoint is the only one that is kept',
    );
    const files = readdirSync(run);
    expect(files).toEqual(expect.arrayContaining(['last.safetensors', 'loss.png']));
    expect(files).not.toEqual(expect.arrayContaining(['best.safetensors']));
    expect(files).not.toContain('precision.png');
    expect(readFileSync(join(run, 'metrics.jsonl'), 'utf8')).not.toContain('evaluation');
  });

  it('predicts and tells of the network; eval says that there is nothing to evaluate on', async () => {
    const weights = `--weights ${folder}/none`;
    const picture = join(folder, 'data/images/1.png');
    const set = 'data.val=none';
    expect(await detect(`predict ${config} ${picture} ${weights} --out ${folder}/shown`, set)).toEqual({
      code: 0,
      message: '',
    });
    expect(await detect(`info ${config}`, set)).toEqual({ code: 0, message: '' });
    const { code, message } = await detect(`eval ${config} ${weights} --out ${folder}/nothing`, set);
    expect(code).toBe(2);
    expect(message.trim()).toBe(
      'data.val: expected images to evaluate on, received none; --set data.val=... names some',
    );
    expect(existsSync(join(folder, 'nothing'))).toBe(false);
  });
});

it('data names images that are learned from and measured on, in folders too', async () => {
  const root = join(folder, 'folders');
  await writeSet(root);
  mkdirSync(join(root, 'images/zürich'));
  renameSync(join(root, 'images/0.png'), join(root, 'images/zürich/0.png'));
  const set = json<CocoDataset>('folders/train.json');
  const [first, ...others] = set.images;
  writeAnnotations(root, { ...set, images: [{ ...first!, file_name: 'zürich/0.png' }, ...others] });
  const printed = jest.spyOn(console, 'log').mockImplementation();
  expect(await detect(`data ${config}`, `data.root=${root}`)).toEqual({ code: 0, message: '' });
  const told = printed.mock.calls.map(([line]) => String(line)).join('\n');
  expect(told).toMatch(/^4 images are learned from and measured on$/m);
  expect(told).toMatch(/^ {2}images.zürich.0\.png is images.zürich.0\.png$/m);
});

it('data tells what a training would read: counts, what is left out, and categories that are never learned', async () => {
  const printed = jest.spyOn(console, 'log').mockImplementation();
  expect(await detect(`data ${config}`, HELD, 'data.repeatThreshold=1')).toEqual({ code: 0, message: '' });
  const told = printed.mock.calls.map(([line]) => String(line)).join('\n');
  expect(told).toMatch(/^training: 3 images$/m);
  expect(told).toMatch(/^validation: 1 images$/m);
  expect(told).toMatch(/^ {2}objects {8}6, up to 2 an image$/m);
  expect(told).toMatch(/^ {2}of area {8}small 6, medium 0, large 0$/m);
  expect(told).toMatch(/^ {2}red +3 +1$/m);
  expect(told).toMatch(/data\.repeatThreshold 1: 0 of 3 images are seen more than once an epoch/);
  printed.mockClear();
  const { code, message } = await detect(`data ${config}`, 'data.train.annotations=gone.json', 'data.val=none');
  expect([code, message]).toEqual([1, expect.stringContaining('gone.json')]);
});

it.each([
  ['{ shar: 0.1 }', /data\.val\.shar: unknown key.*did you mean 'share'/],
  ['{ share: 2 }', /data\.val\.share: expected less than 1, received 2/],
  ['{ annotations: val.json }', /data\.val\.images: missing, expected text/],
])('data.val: %s is told in its own words', async (value, expected) => {
  const { code, message } = await detect(`train ${config} --out ${folder}/wrong`, `data.val=${value}`);
  expect(code).toBe(2);
  expect(message).toMatch(expected);
});
