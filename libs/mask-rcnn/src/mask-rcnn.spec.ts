import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { type DrawKeys, randomKeys, type TruthBatch } from '@pyramidal/boxes';
// eslint-disable-next-line @nx/enforce-module-boundaries -- the whole model has a neck, which apps put there
import { Fpn } from '@pyramidal/fpn';
import {
  Backbone,
  ForwardPass,
  inferencePass,
  type Level,
  type LevelSpec,
  LEVELS,
  type Pyramid,
  toTorchOrder,
} from '@pyramidal/nn';
import { compile, openRuntime } from '@pyramidal/runtime';
import {
  expectClose,
  expectGoldenStats,
  expectNoLeaks,
  fillGoldenPart,
  goldenMap,
  nhwcToNchw,
  type GoldenOverrides,
  type GoldenStats,
} from '@pyramidal/testing';
import { MASK_RCNN_DEFAULTS, MaskRcnn, type MaskDetections, type MaskRcnnOptions } from './mask-rcnn';
import { pasteMask } from './mask-paste';

interface GoldenDetection {
  readonly label: number;
  readonly box: readonly number[];
  readonly score: number;
  readonly mask_area?: number;
}

interface GoldenMeta {
  readonly img_shape: readonly [number, number];
  readonly ori_shape: readonly [number, number];
  readonly scale_factor: readonly [number, number, number, number];
}

interface GoldenModel {
  readonly metas: readonly GoldenMeta[];
  readonly state_dict: readonly (readonly [string, readonly number[]])[];
  readonly overrides: GoldenOverrides;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
}

interface GoldenInference extends GoldenModel {
  readonly outputs: Readonly<
    Record<
      'standard' | 'small',
      {
        readonly test_cfg: { readonly rpn: { readonly nms_pre: number; readonly max_per_img: number } };
        readonly detections: readonly GoldenDetection[];
        readonly detections_no_rescale: readonly GoldenDetection[];
      }
    >
  >;
}

const fixture = <T>(name: string): T =>
  JSON.parse(readFileSync(join(__dirname, '../fixtures', `${name}.json`), 'utf8')) as T;
const single = fixture<GoldenInference>('mask_rcnn_infer');
const double = fixture<GoldenModel & { outputs: { detections: readonly (readonly GoldenDetection[])[] } }>(
  'mask_rcnn_infer_batch2',
);
const training = fixture<
  GoldenModel & {
    gt_bboxes: number[][][];
    gt_labels: number[][];
    losses: Record<string, number[]>;
    total: number;
    gradient_of_total: Record<string, GoldenStats>;
  }
>('mask_rcnn_train');

/** Stands in for a backbone: hands out features that are given. */
class GivenFeatures extends Backbone {
  readonly levels: Readonly<Record<Level, LevelSpec>> = {
    C2: { stride: 4, channels: 16 },
    C3: { stride: 8, channels: 32 },
    C4: { stride: 16, channels: 64 },
    C5: { stride: 32, channels: 128 },
  };

  constructor(readonly pyramid: Record<Level, tf.Tensor4D>) {
    super();
  }

  forward(): Pyramid {
    return this.pyramid;
  }

  attentionMultiplyAdds(): number {
    return 0;
  }
}

const OPTIONS: MaskRcnnOptions = {
  ...MASK_RCNN_DEFAULTS,
  classes: 20,
  box: { ...MASK_RCNN_DEFAULTS.box, hidden: 64 },
  mask: { ...MASK_RCNN_DEFAULTS.mask, hidden: 32, targetSampling: 'adaptive' },
  sampling: 'adaptive',
};

function modelOf(golden: GoldenModel, options: MaskRcnnOptions): MaskRcnn {
  const maps = Object.entries(golden.inputs).map(([name, shape]) => {
    const [n, c, h, w] = shape as [number, number, number, number];
    return tf.tensor4d(goldenMap(name, shape), [n, h, w, c]);
  });
  const backbone = new GivenFeatures(Object.fromEntries(LEVELS.map((level, i) => [level, maps[i]])) as Pyramid);
  const neck = new Fpn({ levels: LEVELS.map((level) => backbone.levels[level]), channels: 32, outputs: 5 });
  const model = new MaskRcnn(backbone, neck, options);
  expect([...model.state()].map(([name, { torchShape }]) => [name, torchShape])).toEqual(golden.state_dict);
  fillGoldenPart(model, '', golden.overrides);
  return model;
}

/** The batch's canvas is 128 x 192; its pixels are never looked at. */
function batchOf({ metas }: GoldenModel) {
  return {
    images: tf.zeros<tf.Rank.R4>([metas.length, 128, 192, 3]),
    sizes: tf.tensor2d(metas.map(({ img_shape }) => [...img_shape])),
  };
}

const countOf = ({ valid }: MaskDetections): number => tf.tidy(() => tf.sum(valid).dataSync()[0]!);

const scalesOf = ({ metas }: GoldenModel): tf.Tensor2D => tf.tensor2d(metas.map(({ scale_factor: [x, y] }) => [y, x]));

function expectDetections(found: MaskDetections, expected: readonly GoldenDetection[], size: readonly number[]): void {
  expect(countOf(found)).toBeGreaterThanOrEqual(expected.length);
  const labels = [...found.labels.dataSync()].slice(0, expected.length);
  expect(labels).toEqual(expected.map(({ label }) => label));
  const [boxes, scores, masks] = [found.boxes.dataSync(), found.scores.dataSync(), found.masks.dataSync()];
  const cells = found.masks.shape[1] * found.masks.shape[2];
  expected.forEach(({ box, score, mask_area }, i) => {
    expectClose(boxes.slice(4 * i, 4 * i + 4), box, { atol: 5e-3 }, `box ${i}`);
    expectClose([scores[i]!], [score], { atol: 1e-3 }, `score ${i}`);
    if (mask_area === undefined) return;
    const [height, width] = size as [number, number];
    const { data } = pasteMask(masks.slice(i * cells, (i + 1) * cells), box, { height, width });
    expectClose([data.reduce((sum, pixel) => sum + pixel, 0)], [mask_area], { atol: 3 }, `mask area ${i}`);
  });
}

beforeAll(async () => {
  await openRuntime();
});
beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

describe('MaskRcnn.predict', () => {
  it.each(['standard', 'small'] as const)('finds what the reference finds: %s', (name) => {
    const { test_cfg, detections, detections_no_rescale } = single.outputs[name];
    const { nms_pre: perLevel, max_per_img: count } = test_cfg.rpn;
    const model = modelOf(single, { ...OPTIONS, testProposals: { perLevel, count, iouThreshold: 0.7 } });
    const [found] = model.predict(batchOf(single), scalesOf(single), inferencePass());
    expect(countOf(found!)).toBe(detections.length);
    expectDetections(found!, detections, single.metas[0]!.ori_shape);
    const [unscaled] = model.predict(batchOf(single), tf.ones([1, 2]), inferencePass());
    expectDetections(unscaled!, detections_no_rescale, []);
  });

  it('finds what the reference finds in two images of a batch', () => {
    const model = modelOf(double, OPTIONS);
    const found = model.predict(batchOf(double), scalesOf(double), inferencePass());
    found.forEach((image, i) => {
      const expected = double.outputs.detections[i]!;
      expect(countOf(image)).toBe(expected.length);
      expectDetections(image, expected, double.metas[i]!.ori_shape);
    });
  });

  it('leaves the tensor count unchanged', async () => {
    const model = modelOf(single, OPTIONS);
    const [batch, scales] = [batchOf(single), scalesOf(single)];
    await expectNoLeaks(() => tf.dispose(model.predict(batch, scales, inferencePass())));
  });
});

/** Masks are ellipses in their boxes, over the whole canvas. */
function goldenTruth(): Required<TruthBatch> {
  const [height, width] = [128, 192];
  const rows = Math.max(...training.gt_labels.map((labels) => labels.length)) + 1;
  const boxes: number[][][] = [];
  const labels: number[][] = [];
  const masks = new Float32Array(2 * rows * height * width);
  training.gt_bboxes.forEach((image, n) => {
    const padding = rows - image.length;
    boxes.push([...image, ...Array.from({ length: padding }, () => [0, 0, 0, 0])]);
    labels.push([...training.gt_labels[n]!, ...Array.from({ length: padding }, () => -1)]);
    image.forEach((box, row) => {
      const [x1, y1, x2, y2] = box as [number, number, number, number];
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const dx = (x + 0.5 - (x1 + x2) / 2) / ((x2 - x1) / 2);
          const dy = (y + 0.5 - (y1 + y2) / 2) / ((y2 - y1) / 2);
          if (dx * dx + dy * dy <= 1) masks[((n * rows + row) * height + y) * width + x] = 1;
        }
      }
    });
  });
  return {
    boxes: tf.tensor3d(boxes),
    labels: tf.tensor2d(labels, undefined, 'int32'),
    masks: tf.tensor4d(masks, [2, rows, height, width]),
    regions: tf.tile(tf.tensor3d([[[0, 0, width, height]]]), [2, rows, 1]),
    ignored: tf.tensor3d([[[10, 10, 150, 120]], [[0, 0, 0, 0]]]),
  };
}

/** Chooses the first boxes in index order. */
const takeFirst: DrawKeys = (count) => tf.div(tf.range(count, 0, -1), count);

const trainingOptions: MaskRcnnOptions = {
  ...OPTIONS,
  rois: { ...OPTIONS.rois, sample: { count: 64, positiveShare: 0.25 } },
};

describe('MaskRcnn.loss', () => {
  const frozen = (): ForwardPass => new ForwardPass({ mode: 'train', batchNorm: 'running' });

  it("gives the reference's losses", () => {
    const model = modelOf(training, trainingOptions);
    const losses = model.loss(batchOf(training), goldenTruth(), takeFirst, frozen());
    const sum = (name: string): number => training.losses[name]!.reduce((total, value) => total + value, 0);
    const expected = {
      loss: training.total,
      rpnObjectness: sum('loss_rpn_cls'),
      rpnBox: sum('loss_rpn_bbox'),
      boxClass: sum('loss_cls'),
      box: sum('loss_bbox'),
      mask: sum('loss_mask'),
      accuracy: sum('acc'),
    };
    const received = Object.fromEntries(Object.entries(losses).map(([name, value]) => [name, value.dataSync()[0]!]));
    expect(Object.keys(received)).toEqual(Object.keys(expected));
    expectClose(Object.values(received), Object.values(expected), { rtol: 1e-5, atol: 1e-5 }, JSON.stringify(received));
  });

  it("gives the reference's gradients", () => {
    const model = modelOf(training, trainingOptions);
    const { pyramid } = model.backbone as GivenFeatures;
    const truth = goldenTruth();
    const parameters = model.parameters();
    const maps = Object.fromEntries(Object.keys(training.inputs).map((name, i) => [name, pyramid[LEVELS[i]!]]));
    const features = Object.entries(maps).map(([name, map]) => [name, tf.variable(map)] as const);
    features.forEach(([, variable], i) => (pyramid[LEVELS[i]!] = variable as unknown as tf.Tensor4D));
    const variables = [...parameters.values()].map(({ variable }) => variable);
    const { grads } = tf.variableGrads(
      () => model.loss(batchOf(training), truth, takeFirst, frozen()).loss,
      [...variables, ...features.map(([, variable]) => variable)],
    );
    for (const [name, expected] of Object.entries(training.gradient_of_total)) {
      const feature = features.find(([key]) => key === name)?.[1];
      const parameter = parameters.get(name);
      const gradient = grads[(feature ?? parameter!.variable).name]!;
      const values = gradient.dataSync<'float32'>();
      const torch = feature
        ? nhwcToNchw(values, gradient.shape)
        : toTorchOrder(values, gradient.shape, parameter!.layout);
      expectGoldenStats(torch, expected, { tolerance: 1e-4, relativeTo: 'max' }, name);
    }
    features.forEach(([, variable]) => variable.dispose());
  });

  it('compiles as a whole training step, and gives what it gives eagerly', async () => {
    const options: MaskRcnnOptions = {
      ...trainingOptions,
      sampling: 2,
      mask: { ...OPTIONS.mask, targetSampling: 2 },
      trainProposals: { perLevel: 200, count: 100, iouThreshold: 0.7 },
    };
    const model = modelOf(training, options);
    const variables = [...model.parameters().values()].map(({ variable }) => variable);
    type Inputs = { images: tf.Tensor4D; sizes: tf.Tensor2D; seed: tf.Tensor1D } & Record<keyof TruthBatch, tf.Tensor>;
    const step = ({ images, sizes, seed, ...truth }: Inputs): Record<string, tf.Tensor> => {
      const { value, grads } = tf.variableGrads(() => {
        return model.loss({ images, sizes }, truth as unknown as TruthBatch, randomKeys(seed), frozen()).loss;
      }, variables);
      return { loss: value, ...Object.fromEntries(variables.map(({ name }, i) => [`gradient${i}`, grads[name]!])) };
    };
    const compiled = compile(step);
    const inputs = { ...batchOf(training), ...goldenTruth(), seed: tf.tensor1d([1, 2], 'int32') };
    const [eager, graph] = [step(inputs), compiled(inputs)];
    for (const [name, values] of Object.entries(eager)) {
      const expected = values.dataSync<'float32'>();
      const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 1e-3);
      expectClose(graph[name]!.dataSync(), expected, { atol: 1e-4 * largest }, name);
    }
    await expectNoLeaks(() => tf.dispose(compiled(inputs)));
    compiled.dispose();
  });

  it('stays finite, with a gradient path, for images without objects', () => {
    const model = modelOf(training, { ...trainingOptions, sampling: 2 });
    const truth = goldenTruth();
    const none = {
      ...truth,
      boxes: tf.zerosLike(truth.boxes),
      labels: tf.fill<tf.Rank.R2>(truth.labels.shape, -1, 'int32'),
    };
    const variables = [...model.parameters().values()].map(({ variable }) => variable);
    const { value, grads } = tf.variableGrads(
      () => model.loss(batchOf(training), none, takeFirst, frozen()).loss,
      variables,
    );
    expect(Number.isFinite(value.dataSync()[0])).toBe(true);
    for (const { name } of variables) expect(tf.all(tf.isFinite(grads[name]!)).dataSync()[0]).toBe(1);
    const losses = model.loss(batchOf(training), none, takeFirst, frozen());
    expect([losses.box, losses.mask, losses.rpnBox].map((loss) => loss.dataSync()[0])).toEqual([0, 0, 0]);
  });
});
