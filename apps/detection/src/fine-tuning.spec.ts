import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CocoDataset } from '@cocoeval/ts';
import { readSafetensors } from '@pyramidal/checkpoints';
import { loadConfig } from '@pyramidal/config';
import { loadWeightsFile } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import { assembleDetector, measuredLossOf } from './assemble';
import { measuredBatches } from './batches';
import { detectionSchema } from './config';
import { openData } from './data';
import { DETECTORS } from './detectors';
import { detect, makeToy, writeAnnotations, writeSet } from './testing/toy';

/** A detector that goes on from another one: stages that stay as they are, and what is measured on the way. */
let folder: string;
let config: string;
let remarks: string[];

beforeAll(async () => {
  ({ folder, config } = await makeToy());
  jest.spyOn(console, 'log').mockImplementation();
  jest.spyOn(process.stderr, 'write').mockImplementation(() => true);
  jest.spyOn(console, 'error').mockImplementation((text: string) => void remarks.push(text));
  remarks = [];
  const { code } = await detect(`train ${config} --out ${folder}/first`, 'train.epochs=1', 'evaluation.every=1');
  expect(code).toBe(0);
});

beforeEach(() => (remarks = []));

afterAll(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function weightsOf(run: string): Map<string, Uint8Array> {
  const file = readSafetensors(join(folder, run, 'last.safetensors'));
  const entries = [...file.tensors].map(([name, { data }]) => {
    return [name, Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))] as const;
  });
  file.close();
  return new Map(entries);
}

describe('model.freeze', () => {
  it.each([true, false])('keeps stem and stages with their norms, bit by bit (compiled: %s)', async (compiled) => {
    const run = `frozen-${compiled}`;
    const set = [
      'train.epochs=3',
      'evaluation.every=3',
      'model.freeze=2',
      `model.weights=${folder}/first/last.safetensors`,
      `runtime.compile=${compiled}`,
      // Of groups, those that the frozen stages alone belong to have nothing to do.
      'train.optimizer.groups=[{ match: backbone.*, lrScale: 0.5 }]',
    ];
    expect(await detect(`train ${config} --out ${folder}/${run}`, ...set)).toEqual({ code: 0, message: '' });
    const told = remarks.find((line) => line.startsWith('frozen: '));
    expect(told).toMatch(/^frozen: the stem and 2 of 4 stages of the backbone; \d+\.\d % of the parameters learn$/);
    const [before, after] = [weightsOf('first'), weightsOf(run)];
    const backbone = [...before.keys()].filter((name) => name.startsWith('backbone.'));
    const same = backbone.filter((name) => Buffer.from(before.get(name)!).equals(Buffer.from(after.get(name)!)));
    const momentsOf = [...after.keys()].filter((name) => name.startsWith('optimizer.exp_avg.backbone.'));
    const learning = momentsOf.map((name) => name.replace('optimizer.exp_avg.', ''));
    // What has no moments is frozen, or a statistic of what is not.
    const frozen = backbone.filter((name) => !learning.includes(name) && !/running_(mean|var)$/.test(name));
    expect(frozen.length).toBeGreaterThan(20);
    expect(same).toEqual(expect.arrayContaining(frozen));
    expect(learning.filter((name) => same.includes(name))).toEqual([]);
    const statistics = backbone.filter((name) => /running_(mean|var)$/.test(name));
    const kept = statistics.filter((name) => same.includes(name));
    expect([kept.length > 0, kept.length < statistics.length]).toEqual([true, true]);
  });

  it('says which heads start anew where the classes are others', async () => {
    const set = ['train.epochs=1', 'runtime.compile=false', 'data.val=none'];
    const root = join(folder, 'three');
    await writeSet(root);
    const dataset = JSON.parse(readFileSync(join(root, 'train.json'), 'utf8')) as CocoDataset;
    writeAnnotations(root, { ...dataset, categories: [...dataset.categories!, { id: 9, name: 'green' }] });
    const weights = `model.weights=${folder}/first/last.safetensors`;
    const line = `train ${config} --out ${folder}/three-run`;
    expect(await detect(line, `data.root=${root}`, weights, ...set)).toEqual({ code: 0, message: '' });
    const anew = ['bbox_head.fc_cls', 'bbox_head.fc_reg', 'mask_head.conv_logits'].map(
      (head) => `  drawn anew, of another size: roi_head.${head}: 2 classes in the file, 3 here`,
    );
    expect(remarks).toEqual(expect.arrayContaining(anew));
  });

  it('warns of stages that were never trained', async () => {
    const set = ['train.epochs=1', 'model.freeze=0', 'runtime.compile=false', 'data.val=none'];
    expect(await detect(`train ${config} --out ${folder}/drawn`, ...set)).toEqual({ code: 0, message: '' });
    expect(remarks.find((line) => line.startsWith('frozen: '))).toMatch(
      /^frozen: the stem of the backbone, with the weights that were drawn: model\.weights names none; /,
    );
  });
});

describe('train.batchSize: auto', () => {
  it('takes what memory holds, writes it down, and goes on with it', async () => {
    const set = ['runtime.compile=false', 'data.val=none', 'train.batchSize=auto'];
    const line = `train ${config} --out ${folder}/auto`;
    expect(await detect(line, 'train.epochs=1', ...set)).toEqual({ code: 0, message: '' });
    expect(remarks).toContainEqual(expect.stringMatching(/^batch size 4: a step takes \d+ MB an image/));
    expect(readFileSync(join(folder, 'auto/config.yaml'), 'utf8')).toContain('batchSize: 4\n');
    expect(await detect(`${line} --resume`, 'train.epochs=2', ...set)).toEqual({ code: 0, message: '' });
    expect(remarks).toContain('batch size 4, as the run began (train.batchSize: auto)');
  });
});

describe('evaluation.loss', () => {
  const evaluations = (run: string): Record<string, number>[] =>
    readFileSync(join(folder, run, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number> & { kind: string })
      .filter(({ kind }) => kind === 'evaluation');

  it('is the loss of the network as it stands, of images as they are, with the same draws every time', async () => {
    // Small steps in proportion to the gradient: Adam would make much of rounding, which compiled steps do in another order.
    const sgd = 'train.optimizer={ name: sgd, lr: 0.001, momentum: 0 }';
    const measured = ['train.epochs=2', 'evaluation.every=1', 'evaluation.loss=true', 'evaluation.batchSize=2', sgd];
    for (const compiled of [true, false]) {
      const set = [...measured, `runtime.compile=${compiled}`, 'augmentation.flip=1'];
      expect((await detect(`train ${config} --out ${folder}/loss-${compiled}`, ...set)).code).toBe(0);
    }
    const { config: read } = loadConfig(detectionSchema, config, { set: measured });
    const { training } = await openData(read, DETECTORS);
    const detector = assembleDetector(read, training.classes.length);
    loadWeightsFile(join(folder, 'loss-true/last.safetensors'), detector);
    const source = measuredBatches(read, training.samples, detector);
    const losses: number[] = [];
    const seed = tf.tensor1d([read.train.seed, 0], 'int32');
    for await (const { tensors } of source.batches()) {
      losses.push(tf.tidy(() => measuredLossOf(detector)({ ...tensors }, seed).loss.dataSync()[0]!));
    }
    await source.close();
    detector.dispose();
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    expect(losses).toHaveLength(2);
    expect(evaluations('loss-true').at(-1)!['loss']).toBeCloseTo(mean, 4);
    expect(evaluations('loss-false').at(-1)!['loss']).toBeCloseTo(mean, 3);
    expect(evaluations('first')[0]).not.toHaveProperty('loss');
  });
});
