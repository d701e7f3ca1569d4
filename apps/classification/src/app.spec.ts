/** The program as a user meets it, on pictures of three colours, and what it says when something is wrong. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeImage } from '@pyramidal/images';
import { LEVELS } from '@pyramidal/nn';
import * as tf from '@tensorflow/tfjs-core';
import { classify, COLOURS, makeToy, writeSet } from './testing/toy';

let folder: string;
let config: string;
let log: jest.SpyInstance;
let error: jest.SpyInstance;

beforeAll(async () => {
  ({ folder, config } = await makeToy());
  error = jest.spyOn(console, 'error').mockImplementation();
  log = jest.spyOn(console, 'log').mockImplementation();
  jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
  expect(await classify(`train ${config} --out ${folder}/run`)).toEqual({ code: 0, message: '' });
});

afterAll(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

describe('a run', () => {
  it('learns three colours, and leaves configuration, log, curves and checkpoints', async () => {
    const files = readdirSync(join(folder, 'run'));
    expect(files).toEqual(
      expect.arrayContaining([
        'best.safetensors',
        'config.yaml',
        'last.safetensors',
        'loss.png',
        'metrics.jsonl',
        'run.json',
      ]),
    );
    expect(await classify(`eval ${config} --weights ${folder}/run/last.safetensors --out ${folder}/eval`)).toEqual({
      code: 0,
      message: '',
    });
    const { top1, perClass } = readJson<{ top1: number; perClass: object[] }>(join(folder, 'eval/metrics.json'));
    expect(top1).toBe(1);
    expect(perClass).toHaveLength(3);
    for (const place of ['eval', 'run']) {
      expect(readFileSync(join(folder, place, 'report.html'), 'utf8')).toContain(`data-value="${top1}"`);
    }
    const last = readFileSync(join(folder, 'run/metrics.jsonl'), 'utf8').trim().split('\n').at(-1)!;
    expect(JSON.parse(last)).toMatchObject({ kind: 'evaluation', top1 });
  });

  it('predicts what eval counts, and draws it', async () => {
    const pictures = Object.keys(COLOURS).map((name) => join(folder, 'data/val', name, '1.png'));
    const line = `predict ${config} ${pictures.join(' ')} --attention --weights ${folder}/run/last.safetensors --out ${folder}/predictions`;
    expect(await classify(line)).toEqual({ code: 0, message: '' });
    const predictions = readJson<{ classes: { name: string }[] }[]>(join(folder, 'predictions/predictions.json'));
    expect(predictions.map(({ classes }) => classes[0]!.name)).toEqual(Object.keys(COLOURS));
    expect(readdirSync(join(folder, 'predictions')).filter((name) => name.endsWith('1.jpg'))).toHaveLength(3);
    for (const level of LEVELS) {
      const { width, height } = await decodeImage(join(folder, `predictions/0002-1-${level}.jpg`));
      // What the network sees, and the one attending module.
      expect([width, height]).toEqual([484, 240]);
    }
  });

  it('exports weights that evaluate alike, and models for Python and browsers where the engine writes them', async () => {
    const line = `export ${config} --weights ${folder}/run/last.safetensors --out ${folder}/export`;
    expect(await classify(line)).toEqual({ code: 0, message: '' });
    const weights = join(folder, 'export/weights.safetensors');
    expect(await classify(`eval ${config} --weights ${weights} --out ${folder}/eval-export`)).toEqual({
      code: 0,
      message: '',
    });
    expect(readJson(join(folder, 'eval-export/metrics.json'))).toEqual(readJson(join(folder, 'eval/metrics.json')));
    for (const model of ['saved_model/saved_model.pb', 'graph_model/model.json', 'model.onnx']) {
      expect(existsSync(join(folder, 'export', model))).toBe(tf.getBackend() === 'tensorflow');
    }
  });

  it('tells what the network is made of', async () => {
    log.mockClear();
    expect(await classify(`info ${config} --input 64x96`)).toEqual({ code: 0, message: '' });
    expect(log.mock.calls.map(([line]) => line).join('\n')).toMatch(/^C3 {2}8x12x10, stride 8$/m);
  });
});

describe('train.batchSize: auto', () => {
  it('takes what memory holds, writes it down, and goes on with it', async () => {
    const line = `train ${config} --out ${folder}/auto --set train.batchSize=auto`;
    expect(await classify(`${line} --set train.epochs=1`)).toEqual({ code: 0, message: '' });
    const size = (): string | undefined =>
      /batchSize: (.*)/.exec(readFileSync(join(folder, 'auto/config.yaml'), 'utf8'))?.[1];
    // Nine images, of which a machine that runs this holds eight.
    expect(size()).toBe('8');
    const told = (): string[] => error.mock.calls.map(([text]) => String(text));
    expect(told().some((text) => /^batch size 8: a step takes \d+ MB an image, .* are free/.test(text))).toBe(true);
    expect(await classify(`${line} --set train.epochs=2 --resume`)).toEqual({ code: 0, message: '' });
    expect(told()).toContain('batch size 8, as the run began (train.batchSize: auto)');
    expect(size()).toBe('8');
    const evaluated = `eval ${config} --weights ${folder}/auto --out ${folder}/auto-eval --set train.batchSize=auto`;
    expect(await classify(evaluated)).toEqual({ code: 0, message: '' });
  });

  it('leaves the network as it was: the same numbers as with the number itself', async () => {
    const line = `train ${config} --set train.epochs=1 --out`;
    expect(await classify(`${line} ${folder}/eight --set train.batchSize=8`)).toEqual({ code: 0, message: '' });
    const [auto, eight] = ['auto', 'eight'].map((run) => {
      const [first] = readFileSync(join(folder, run, 'metrics.jsonl'), 'utf8').split('\n');
      return (JSON.parse(first!) as { loss: number }).loss;
    });
    expect(auto).toBe(eight);
  });
});

it('a batch larger than the training set holds all of it, which is told and counted', async () => {
  const firstOf = async (batchSize: number) => {
    const line = `train ${config} --out ${folder}/of-${batchSize}`;
    const set = ['train.epochs=1', `train.batchSize=${batchSize}`, 'train.lrImages=9'];
    expect(await classify(line, ...set)).toEqual({ code: 0, message: '' });
    const [first] = readFileSync(join(folder, `of-${batchSize}/metrics.jsonl`), 'utf8').split('\n');
    return JSON.parse(first!) as { loss: number; lr: number; samplesPerSecond: number };
  };
  const [fitting, large] = [await firstOf(9), await firstOf(1e9)];
  expect([large.loss, large.lr]).toEqual([fitting.loss, fitting.lr]);
  expect(large.samplesPerSecond).toBeLessThan(1e6);
  const told = 'train.batchSize: 1000000000 is more than the 9 training images; a step takes all of them';
  expect(error.mock.calls.flat().filter((line) => String(line).includes('train.batchSize: 1'))).toEqual([told]);
});

describe('loss.classWeights', () => {
  it('weighs classes by a list of one number each, or by their images', async () => {
    const line = (weights: string, run: string) =>
      classify(`train ${config} --out ${folder}/${run} --set train.epochs=1 --set loss.classWeights=${weights}`);
    expect(await line('[1,2,3]', 'listed')).toEqual({ code: 0, message: '' });
    expect(await line('balanced', 'balanced')).toEqual({ code: 0, message: '' });
    expect(error.mock.calls.flat()).toContain('class weights: blue 1, green 1, red 1');
    const { code, message } = await line('[1,2]', 'short');
    expect(message.trim()).toBe('loss.classWeights: expected 3 numbers, one for each class, received 2');
    expect(code).toBe(2);
  });
});

describe('data', () => {
  const told = (): string => log.mock.calls.map(([line]) => line).join('\n');

  it('says what a data set holds, and which images are learned from and measured on', async () => {
    log.mockClear();
    expect(await classify(`data ${config}`)).toEqual({ code: 0, message: '' });
    expect(told()).toMatch(/^training: 9 images$/m);
    expect(told()).toMatch(/^ {2}longer sides {3}to 128: 9$/m);
    expect(told()).toMatch(/^ {2}blue +3 +3$/m);
    expect(told()).toMatch(/^9 images are learned from and measured on$/m);
    expect(told()).toMatch(/^ {2}val.blue.0\.png is train.blue.0\.png$/m);
    expect(told()).toMatch(/a training takes this data set$/);
  });

  it('names broken images, which end it unless they are skipped', async () => {
    const root = join(folder, 'damaged');
    await writeSet(root);
    truncateSync(join(root, 'train/red/1.png'), 60);
    log.mockClear();
    expect((await classify(`data ${config} --set data.root=${root}`)).code).toBe(1);
    expect(told()).toMatch(/^ {2}broken {9}1 images, which end a training\n {4}train.red.1\.png: cannot be decoded/m);
    expect((await classify(`data ${config} --set data.root=${root} --set data.onBroken=skip`)).code).toBe(0);
    expect((await classify(`data ${config} --set data.root=${root}/none`)).code).toBe(1);
  });
});

describe('without a validation set', () => {
  it('holds out a share of each class, the same in eval', async () => {
    const line = `--set train.epochs=2 --set data.val.share=0.34`;
    expect(await classify(`train ${config} --out ${folder}/held ${line}`)).toEqual({ code: 0, message: '' });
    const { validation, ...split } = readJson<{ validation: string[] }>(join(folder, 'held/split.json'));
    expect(split).toEqual({ share: 0.34, seed: 0, training: 6 });
    expect(validation.map((name) => name.split('/')[0])).toEqual(['blue', 'green', 'red']);
    const evaluated = `eval ${config} --weights ${folder}/held --out ${folder}/held-eval ${line}`;
    expect(await classify(evaluated)).toEqual({ code: 0, message: '' });
    expect(readJson<{ images: number }>(join(folder, 'held-eval/metrics.json')).images).toBe(3);
  });

  it('trains on everything, and evaluates nothing', async () => {
    const line = `--set train.epochs=2 --set data.val=none`;
    expect(await classify(`train ${config} --out ${folder}/all ${line}`)).toEqual({ code: 0, message: '' });
    expect(readdirSync(join(folder, 'all'))).toEqual(expect.arrayContaining(['last.safetensors', 'loss.png']));
    expect(existsSync(join(folder, 'all/best.safetensors'))).toBe(false);
    expect(existsSync(join(folder, 'all/accuracy.png'))).toBe(false);
    const { code, message } = await classify(`eval ${config} --weights ${folder}/all --out ${folder}/no ${line}`);
    expect(message).toMatch(/data\.val: expected images to evaluate on, received none/);
    expect(code).toBe(2);
    const picture = join(folder, 'data/val/red/1.png');
    const predicted = `predict ${config} ${picture} --weights ${folder}/all --out ${folder}/shown ${line}`;
    expect(await classify(predicted)).toEqual({ code: 0, message: '' });
    expect(await classify(`info ${config} ${line}`)).toEqual({ code: 0, message: '' });
  });
});

describe('what is wrong is told in one line, and nothing on disk is lost', () => {
  it('a configuration, by file and line', async () => {
    const wrong = join(folder, 'wrong.yaml');
    writeFileSync(wrong, readFileSync(config, 'utf8').replace('groupmixformer_miny', 'groupmix'));
    const { code, message } = await classify(`train ${wrong} --out ${folder}/none`);
    expect(message).toMatch(
      /wrong\.yaml:6: model\.backbone\.name: expected one of .*groupmixformer_tiny.*, received 'groupmix'/,
    );
    expect(code).toBe(2);
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });

  it('no folder of the data set, as a variable without a value leaves it', async () => {
    const { code, message } = await classify(`train ${config} --out ${folder}/none`, 'data.root=');
    expect([code, message]).toEqual([2, '--set data.root=: expected text, received nothing\n']);
  });

  it('an unknown engine', async () => {
    const { code, message } = await classify(`train ${config} --out ${folder}/none --set runtime.engine=cuda`);
    expect(message).toMatch(/runtime\.engine=cuda: expected one of .*wasm.*, received 'cuda'/);
    expect(code).toBe(2);
  });

  it('an empty data set', async () => {
    mkdirSync(join(folder, 'empty/train'), { recursive: true });
    mkdirSync(join(folder, 'empty/val'), { recursive: true });
    const { code, message } = await classify(`train ${config} --out ${folder}/none --set data.root=${folder}/empty`);
    expect(message).toMatch(/empty.*train/);
    expect(oneLine(message)).toBe(true);
    expect(code).toBe(1);
  });

  it('a data set that is not there', async () => {
    const { code, message } = await classify(`train ${config} --out ${folder}/none --set data.root=${folder}/nowhere`);
    expect(message).toContain('nowhere');
    expect(oneLine(message)).toBe(true);
    expect(code).toBe(1);
  });

  it('a broken picture, which ends the run or is skipped as the configuration says', async () => {
    const broken = join(folder, 'broken');
    await writeSet(broken);
    const file = join(broken, 'train/red/1.png');
    truncateSync(file, 60);
    const line = `train ${config} --set data.root=${broken} --set train.epochs=2`;
    const { code, message } = await classify(`${line} --out ${folder}/broken-fail`);
    expect(message).toContain(file);
    expect(oneLine(message)).toBe(true);
    expect(code).toBe(1);
    expect(await classify(`${line} --out ${folder}/broken-skip --set data.onBroken=skip`)).toEqual({
      code: 0,
      message: '',
    });
  });

  it('a picture that has too many pixels, or is none, before the first step', async () => {
    const root = join(folder, 'unread');
    await writeSet(root);
    const line = `train ${config} --set data.root=${root} --out ${folder}/unread-run`;
    const large = await classify(`${line} --set data.maxPixels=99`);
    expect(large.message).toMatch(
      /train.blue.0\.png: cannot be decoded: expected at most 99 pixels \(maxPixels\), received/,
    );
    writeFileSync(join(root, 'val/red/1.png'), 'none');
    const none = await classify(line);
    expect(none.message).toMatch(/val.red.1\.png: cannot be decoded/);
    for (const { code, message } of [large, none]) expect([code, oneLine(message)]).toEqual([1, true]);
    expect(existsSync(join(folder, 'unread-run'))).toBe(false);
    log.mockClear();
    expect((await classify(`data ${config} --set data.root=${root}`)).code).toBe(1);
    expect(log.mock.calls.flat().join('\n')).toMatch(/which end a training\n {4}val.red.1\.png: /);
  });

  it('a truncated checkpoint', async () => {
    const weights = join(folder, 'truncated.safetensors');
    writeFileSync(weights, readFileSync(join(folder, 'run/last.safetensors')).subarray(0, 5000));
    const { code, message } = await classify(`eval ${config} --weights ${weights} --out ${folder}/none`);
    expect(message).toContain('truncated.safetensors');
    expect(oneLine(message)).toBe(true);
    expect(code).toBeGreaterThan(0);
  });

  it('a checkpoint of another size', async () => {
    const line = `eval ${config} --weights ${folder}/run/last.safetensors --out ${folder}/none`;
    const { code, message } = await classify(`${line} --set model.backbone.channels=[20,20,20,20]`);
    expect(message).toMatch(/the weights do not fit/);
    expect(oneLine(message)).toBe(true);
    expect(code).toBe(2);
  });

  it('a folder that holds a run already', async () => {
    const before = readFileSync(join(folder, 'run/last.safetensors'));
    const { code, message } = await classify(`train ${config} --out ${folder}/run`);
    expect(message).toMatch(/holds a run already .*--resume/);
    expect(code).toBe(2);
    expect(readFileSync(join(folder, 'run/last.safetensors'))).toEqual(before);
  });

  it('an output folder that cannot be made', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, 'kept');
    const { code, message } = await classify(`train ${config} --out ${file}/run`);
    expect(message).toContain(file);
    expect(oneLine(message)).toBe(true);
    expect(code).toBeGreaterThan(0);
    expect(readFileSync(file, 'utf8')).toBe('kept');
  });
});

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

function oneLine(message: string): boolean {
  return message.trim().split('\n').length === 1 && message.trim() !== '';
}
