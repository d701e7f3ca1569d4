/** The program as a user meets it, on pictures of two colours, and what it says when something is wrong. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeLabels, readLabels } from '@pyramidal/ade20k';
import { openInspected } from './commands/inspect';
import { segmentationDefinition } from './definition';
import { CODING, makeToy, segment, writePicture, writeSet } from './testing/toy';

let folder: string;
let config: string;
let log: jest.SpyInstance;

beforeAll(async () => {
  ({ folder, config } = await makeToy());
  jest.spyOn(console, 'error').mockImplementation();
  log = jest.spyOn(console, 'log').mockImplementation();
  jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
  expect(await segment(`train ${config} --out ${folder}/run`)).toEqual({ code: 0, message: '' });
});

afterAll(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

interface Metrics {
  readonly mIoU: number;
  readonly mAcc: number;
  readonly aAcc: number;
  readonly perClass: readonly { readonly name: string; readonly pixels: number }[];
}

describe('a run', () => {
  it('learns two colours; eval of its checkpoint gives the numbers of its last evaluation', async () => {
    expect(readdirSync(join(folder, 'run'))).toEqual(
      expect.arrayContaining(['accuracy.png', 'best.safetensors', 'config.yaml', 'last.safetensors', 'loss.png']),
    );
    const { perClass, images, ...means } = await evaluated('eval');
    expect(images).toBe(4);
    expect(means.aAcc).toBeGreaterThan(0.9);
    expect(perClass.map(({ name }) => name)).toEqual(['left', 'right']);
    for (const place of ['eval', 'run']) {
      expect(readFileSync(join(folder, place, 'report.html'), 'utf8')).toContain(`data-value="${means.mIoU}"`);
    }
    const last = readFileSync(join(folder, 'run/metrics.jsonl'), 'utf8').trim().split('\n').at(-1)!;
    expect(JSON.parse(last)).toMatchObject({ kind: 'evaluation', ...means });
  });

  it('looks through windows, at several scales and mirrored', async () => {
    const windows = 'inference={mode: slide, crop: {height: 32, width: 32}, stride: {height: 16, width: 16}}';
    expect((await evaluated('slide', windows)).aAcc).toBeGreaterThan(0.8);
    expect((await evaluated('scales', 'testTime={ratios: [1, 1.5], flip: true}')).aAcc).toBeGreaterThan(0.8);
  });

  it('predicts the labels that eval wrote, and draws them', async () => {
    await evaluated('eval-labels');
    const picture = join(folder, 'data/images/validation/1.png');
    const line = `predict ${config} ${picture} --attention --weights ${folder}/run/last.safetensors --out ${folder}/predictions`;
    expect(await segment(line)).toEqual({ code: 0, message: '' });
    const sheets = ['C2', 'C3', 'C4', 'C5'].map((level) => `0000-1-${level}.jpg`);
    const files = readdirSync(join(folder, 'predictions')).sort();
    expect(files).toEqual([...sheets, '0000-1.jpg', '0000-1.png', 'predictions.json']);
    const label = await readLabels(join(folder, 'predictions/0000-1.png'), CODING);
    expect(label).toEqual(await readLabels(join(folder, 'eval-labels/labels/1.png'), CODING));
    expect([label.width, label.height]).toEqual([60, 44]);
  });

  it('is inspected with the numbers that eval wrote, and the maps', async () => {
    const { mIoU, mAcc, aAcc } = await evaluated('run/eval');
    const command = { runs: [join(folder, 'run')], config: undefined, files: undefined, set: [], port: 0 };
    const { about, map } = await openInspected(segmentationDefinition(), command);
    expect(about.runs).toMatchObject([{ name: 'run', metrics: { mIoU, mAcc, aAcc } }]);
    const labels = await readLabels(join(folder, 'run/eval/labels/1.png'), CODING);
    expect(await map!(1, '0', false)).toEqual(labels.data);
  });

  it('trains Semantic FPN as well', async () => {
    const head = 'model.head={name: semantic-fpn, neckChannels: 8, channels: 8}';
    const done = await segment(`train ${config} --out ${folder}/fpn`, head, 'train.epochs=1');
    expect(done).toEqual({ code: 0, message: '' });
  });

  it('tells what the network is made of', async () => {
    log.mockClear();
    expect(await segment(`info ${config} --input 64x96`)).toEqual({ code: 0, message: '' });
    const lines = log.mock.calls.map(([line]) => line).join('\n');
    expect(lines).toMatch(/^upernet on groupmixformer_miny, 2 classes, input 64x96$/m);
    expect(lines).toMatch(/^C3 {2}8x12x10, stride 8$/m);
  });
});

describe('without a validation set', () => {
  it('holds out a share of the images, the same in eval', async () => {
    const set = ['train.epochs=1', 'data.val={ share: 0.25 }'];
    expect(await segment(`train ${config} --out ${folder}/held`, ...set)).toEqual({ code: 0, message: '' });
    const split = JSON.parse(readFileSync(join(folder, 'held/split.json'), 'utf8')) as { validation: string[] };
    expect(split).toEqual({ share: 0.25, seed: 0, training: 3, validation: [expect.stringMatching(/^\d$/)] });
    expect(existsSync(join(folder, 'held/best.safetensors'))).toBe(true);
    const line = `eval ${config} --weights ${folder}/held --out ${folder}/held-eval`;
    expect(await segment(line, ...set)).toEqual({ code: 0, message: '' });
    expect(readdirSync(join(folder, 'held-eval/labels'))).toEqual([`${split.validation[0]}.png`]);
  });

  it('trains on everything, and evaluates nothing', async () => {
    const set = ['train.epochs=1', 'data.val=none'];
    expect(await segment(`train ${config} --out ${folder}/all`, ...set)).toEqual({ code: 0, message: '' });
    expect(existsSync(join(folder, 'all/best.safetensors'))).toBe(false);
    expect(existsSync(join(folder, 'all/accuracy.png'))).toBe(false);
    const { code, message } = await segment(`eval ${config} --weights ${folder}/all --out ${folder}/no`, ...set);
    expect(message).toMatch(/data\.val: expected images to evaluate on, received none/);
    expect(code).toBe(2);
  });
});

describe('what is wrong is told in one line', () => {
  it('a configuration, by file and line', async () => {
    const wrong = join(folder, 'wrong.yaml');
    writeFileSync(wrong, readFileSync(config, 'utf8').replace('name: upernet', 'name: uper'));
    const { code, message } = await segment(`train ${wrong} --out ${folder}/none`);
    expect(message).toMatch(/wrong\.yaml:10: model\.head\.name: expected .*semantic-fpn.*, received 'uper'/);
    expect(code).toBe(2);
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });

  it.each<[string, (data: string) => Promise<void> | void, RegExp]>([
    ['an empty split', (data) => emptied(join(data, 'images/validation')), /split 'validation' has no images/],
    ['a missing label', (data) => rmSync(join(data, 'annotations/training/0.png')), /0\.png: no such file, expected a/],
    [
      'a label above the class count',
      (data) => writeLabel(data, 60, 44, 2),
      /0\.png: expected label values from 0 to 2/,
    ],
    [
      'a label of another size',
      (data) => writeLabel(data, 59, 44, 1),
      /images.training.0\.png: expected 59x44 pixels as .*annotations.training.0\.png has, received 60x44/,
    ],
    [
      'a picture as label',
      (data) => writePicture(join(data, 'annotations/training/0.png'), 0),
      /8-bit grey or palette PNG as label, received 8-bit colour; name the colours of the classes in data\.colours/,
    ],
  ])('%s', async (name, spoil, expected) => {
    const data = join(folder, name.replaceAll(' ', '-'));
    await writeSet(data);
    await spoil(data);
    const { code, message } = await segment(`train ${config} --out ${data}-run --set data.root=${data}`);
    expect(message).toMatch(expected);
    expect(message.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(1);
  });

  it('a checkpoint of other classes', async () => {
    const list = join(folder, 'three.json');
    writeFileSync(list, '["a", "b", "c"]');
    const line = `eval ${config} --weights ${folder}/run/last.safetensors --out ${folder}/none`;
    const { code, message } = await segment(`${line} --set data.classList=${list}`);
    expect(message).toMatch(
      /expected the classes of the checkpoint: label 0 is 'left' \(0\) there and 'a' \(0\) here\n$/,
    );
    expect(code).toBe(2);
  });
});

it('keeps images in folders apart: their labels are written into folders of the same names', async () => {
  const data = join(folder, 'nested');
  await writeSet(data);
  for (const kind of ['images', 'annotations']) {
    const split = join(data, kind, 'validation');
    for (const town of ['aachen', 'zürich']) {
      mkdirSync(join(split, town));
      renameSync(join(split, town === 'aachen' ? '0.png' : '1.png'), join(split, town, '0.png'));
    }
  }
  await evaluated('nested-eval', `data.root=${data}`);
  const labels = readdirSync(join(folder, 'nested-eval/labels'), { recursive: true }).map(String).sort();
  expect(labels).toEqual(['2.png', '3.png', 'aachen', join('aachen', '0.png'), 'zürich', join('zürich', '0.png')]);
});

/** Evaluates the run's last checkpoint. */
async function evaluated(out: string, ...set: string[]): Promise<Metrics & { images: number }> {
  const weights = `${folder}/run/last.safetensors`;
  const result = await segment(`eval ${config} --weights ${weights} --out ${folder}/${out}`, ...set);
  expect(result).toEqual({ code: 0, message: '' });
  return JSON.parse(readFileSync(join(folder, out, 'metrics.json'), 'utf8')) as Metrics & { images: number };
}

async function writeLabel(root: string, width: number, height: number, label: number): Promise<void> {
  const data = new Uint8Array(width * height).fill(label);
  writeFileSync(join(root, 'annotations/training/0.png'), await encodeLabels({ data, width, height }, CODING));
}

function emptied(path: string): void {
  rmSync(path, { recursive: true });
  mkdirSync(path);
}
