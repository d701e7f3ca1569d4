/** What people expect of training on data of their own: a look at it, batches that fit, rare classes, weights to start from. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { readSafetensors } from '@pyramidal/checkpoints';
import { decodeImage } from '@pyramidal/images';
import { makeToy, segment, writeSet } from './testing/toy';

const EAGER = 'runtime.compile=false';

let folder: string;
let config: string;
let remarks: string[];
let printed: string[];

beforeAll(async () => {
  ({ folder, config } = await makeToy());
  jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
  jest.spyOn(console, 'error').mockImplementation((line: string) => void remarks.push(line));
  jest.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
});

beforeEach(() => ([remarks, printed] = [[], []]));

afterAll(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** Trains for a moment. */
const train = (run: string, ...set: readonly string[]) =>
  segment(`train ${config} --out ${join(folder, run)}`, EAGER, 'train.epochs=1', 'evaluation.every=1', ...set);

const done = { code: 0, message: '' };

function metricsOf(run: string): Record<string, unknown>[] {
  const lines = readFileSync(join(folder, run, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('data', () => {
  const told = (): string => printed.join('\n');

  it('says what a data set holds, and which images are learned from and measured on', async () => {
    expect(await segment(`data ${config}`)).toEqual(done);
    expect(told()).toMatch(/^training: 4 images$/m);
    expect(told()).toMatch(/^ {2}labelled {7}100\.0 % of the pixels$/m);
    expect(told()).toMatch(/^ {2}longer sides {3}to 128: 4$/m);
    // 18, 26, 34 and 42 columns of 44 pixels each.
    expect(told()).toMatch(/^ {2}left +5280 +5280$/m);
    expect(told()).toMatch(/^4 images are learned from and measured on$/m);
    expect(told()).toMatch(/a training takes this data set$/);
  });

  it('names classes that are never learned, images in folders, and broken images', async () => {
    const root = join(folder, 'odd');
    await writeSet(root);
    for (const kind of ['images', 'annotations']) {
      mkdirSync(join(root, kind, 'training/zürich'));
      renameSync(join(root, kind, 'training/0.png'), join(root, kind, 'training/zürich/0.png'));
    }
    writeFileSync(join(root, 'classes.json'), '["left", "right", "sky"]');
    truncateSync(join(root, 'images/training/zürich/0.png'), 60);
    expect((await segment(`data ${config}`, `data.root=${root}`)).code).toBe(1);
    expect(told()).toMatch(/^ {2}never learned: sky$/m);
    expect(told()).toMatch(/^ {2}broken {9}1 images, which end a training\n {4}images.training.zürich.0\.png: /m);
    expect((await segment(`data ${config}`, `data.root=${root}`, 'data.onBroken=skip')).code).toBe(0);
    expect(told()).toMatch(/1 images, skipped/);
  });

  it('lists pictures of too many pixels; a training names the first of them before its first step', async () => {
    expect((await segment(`data ${config}`, 'data.maxPixels=99')).code).toBe(1);
    expect(told()).toMatch(/^validation: 4 images\n(.+\n)* {2}broken {9}4 images, which end a training$/m);
    const { code, message } = await train('large', 'data.maxPixels=99');
    expect([code, message]).toEqual([1, expect.stringMatching(/0\.png: .*expected at most 99 pixels \(maxPixels\)/)]);
    expect(existsSync(join(folder, 'large'))).toBe(false);
  });

  it('--show-augmented draws training images as the network sees them, under their labels', async () => {
    const out = join(folder, 'look');
    expect(await segment(`data ${config} --show-augmented --out ${out}`, 'augmentation.flip=0')).toEqual(done);
    const files = readdirSync(out).sort();
    expect(files).toEqual(['00-0.jpg', '01-1.jpg', '02-2.jpg', '03-3.jpg']);
    expect(told()).toMatch(/4 augmented images in .*look$/);
    // A crop of 48, padded below; the legend stands at its right.
    const { width, height, data } = await decodeImage(join(out, '00-0.jpg'));
    expect([width, height]).toEqual([158, 152]);
    const [red, , blue] = data.subarray(3 * (20 * width + 2));
    expect(red).not.toBe(blue);
    rmSync(out, { recursive: true });
    expect(await segment(`data ${config}`)).toEqual(done);
    expect(existsSync(out)).toBe(false);
  });
});

describe('train.batchSize: auto', () => {
  it('takes what memory holds, writes it down, and goes on with it', async () => {
    expect(await train('auto', 'train.batchSize=auto')).toEqual(done);
    const size = (): string | undefined =>
      /batchSize: (.*)/.exec(readFileSync(join(folder, 'auto/config.yaml'), 'utf8'))?.[1];
    expect(size()).toBe('4'); // the whole set
    expect(remarks).toContainEqual(expect.stringMatching(/^batch size 4: a step takes \d+ MB an image/));
    const line = `train ${config} --out ${folder}/auto --resume`;
    expect(await segment(line, EAGER, 'train.epochs=2', 'train.batchSize=auto')).toEqual(done);
    expect(remarks).toContain('batch size 4, as the run began (train.batchSize: auto)');
    expect(size()).toBe('4');
  });
});

describe('loss.classWeights', () => {
  it('weighs classes by a list of one number each, or by their pixels', async () => {
    expect(await train('listed', 'loss.classWeights=[1, 5]')).toEqual(done);
    expect(await train('balanced', 'loss.classWeights=balanced')).toEqual(done);
    // Half of the pixels each.
    expect(remarks).toContain('class weights: left 1, right 1');
    expect(await train('even', 'loss.classWeights=[1, 1]')).toEqual(done);
    const [listed, balanced, even] = ['listed', 'balanced', 'even'].map((run) => metricsOf(run)[0]!['loss']);
    expect(balanced).toBe(even);
    expect(listed).not.toBeCloseTo(even as number, 3);
    const { code, message } = await train('short', 'loss.classWeights=[1, 2, 3]');
    expect(message.trim()).toBe('loss.classWeights: expected 2 numbers, one for each class, received 3');
    expect(code).toBe(2);
  });
});

describe('fine-tuning', () => {
  it('leaves the frozen stages as they were, and says which heads start anew', async () => {
    expect(await train('first')).toEqual(done);
    const root = join(folder, 'three');
    await writeSet(root);
    writeFileSync(join(root, 'classes.json'), '["left", "right", "sky"]');
    const weights = `model.weights=${folder}/first/last.safetensors`;
    expect(await train('tuned', `data.root=${root}`, weights, 'model.freeze=2')).toEqual(done);
    expect(remarks).toContainEqual(expect.stringContaining('decode_head.conv_seg: 2 classes in the file, 3 here'));
    expect(remarks).toContainEqual(expect.stringMatching(/^frozen: the stem and 2 of 4 stages of the backbone; /));
    const [before, after] = [tensorsOf('first'), tensorsOf('tuned')];
    const moved = [...before].filter(([name, bytes]) => !bytes.equals(after.get(name) ?? Buffer.alloc(0)));
    const learning = [...after.keys()].filter((name) => after.has(`optimizer.exp_avg.${name}`));
    expect(learning.length).toBeGreaterThan(0);
    expect(learning.length).toBeLessThan(before.size);
    const still = [...before.keys()].filter((name) => /^backbone\./.test(name) && !moved.some(([own]) => own === name));
    expect(still.length).toBeGreaterThan(20);
    expect(still.filter((name) => learning.includes(name))).toEqual([]);
  });
});

describe('a share of the training set', () => {
  const HELD = 'data.val={ share: 0.25 }';

  it('stays the same when the run goes on, or the run is refused; eval says so when it measures on another', async () => {
    expect(await train('held', HELD)).toEqual(done);
    expect(metricsOf('held').at(-1)).toMatchObject({ kind: 'evaluation', loss: expect.any(Number) });
    const line = `train ${config} --out ${folder}/held --resume`;
    const { code, message } = await segment(line, EAGER, 'train.epochs=2', 'data.val={ share: 0.5 }');
    expect([code, message]).toEqual([2, expect.stringMatching(/split\.json: the images held out .* are others/)]);
    expect(await segment(line, EAGER, 'train.epochs=2', HELD)).toEqual(done);

    const evaluated = `eval ${config} --weights ${folder}/held --out ${folder}/held-eval`;
    remarks = [];
    expect(await segment(evaluated, EAGER, HELD)).toEqual(done);
    expect(remarks.filter((remark) => remark.startsWith('data.val'))).toEqual([]);
    expect(await segment(evaluated, EAGER, 'data.val={ share: 0.5 }')).toEqual(done);
    expect(remarks).toContainEqual(
      expect.stringMatching(
        /^data\.val: 1 of these 2 images are not among the 1 that the run held out \(.*split\.json\): the network may have learned from them$/,
      ),
    );
  });

  it('is needed by early stopping, as any set to measure on', async () => {
    const { code, message } = await train('blind', 'data.val=none', 'train.patience=2');
    expect(message.trim()).toBe('train.patience: expected images to evaluate on, and data.val is none');
    expect(code).toBe(2);
  });
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
