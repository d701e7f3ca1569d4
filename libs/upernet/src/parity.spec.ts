import * as tf from '@tensorflow/tfjs-core';
import { ForwardPass, inferencePass, Module } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import {
  expectClose,
  expectGoldenStats,
  fillGoldenPart,
  goldenMap,
  goldenNoise,
  nhwcToNchw,
  readFixture,
  stateShapes,
  type GoldenStats,
} from '@pyramidal/testing';
import type { DecodeHead } from './decode-head';
import { FcnHead } from './fcn-head';
import { segmentationLoss } from './loss';
import { predictMap, probabilityStrips } from './predict-map';
import { createScales, poolPyramid } from './pyramid-pooling';
import { resizeTo } from './resize-to';
import { UperHead } from './uper-head';
import type { View } from './view';

interface GoldenCase {
  readonly inputs: Readonly<Record<string, readonly [number, number, number, number]>>;
  readonly image: readonly [number, number];
  readonly ori_shape: readonly [number, number];
  readonly outputs: { logits: GoldenStats; aux_logits?: GoldenStats; ppm?: readonly GoldenStats[] };
  readonly loss: {
    readonly label: string;
    readonly label_shape: readonly [number, number, number, number];
    readonly losses: Readonly<Record<string, number>>;
    readonly gradient_of_total: Readonly<Record<string, GoldenStats | null>>;
  };
  readonly inference: {
    readonly probabilities_at_ori_shape: GoldenStats;
    readonly label_histogram: readonly (readonly number[])[];
    readonly argmax_gap_below_1e_5: number;
    readonly first_row_first_16: readonly (readonly number[])[];
    readonly flip_first_row_first_16: readonly (readonly number[])[];
  };
}

interface GoldenHeads {
  readonly state_dict: readonly (readonly [string, readonly number[]])[];
  readonly cases: Readonly<Record<string, GoldenCase>>;
}

const CLASSES = 12;

/** Heads under the names that they have in a whole model. */
class Heads extends Module {
  constructor(
    readonly decodeHead: DecodeHead,
    readonly auxiliaryHead?: DecodeHead,
  ) {
    super();
  }
}

const HEADS: Readonly<Record<string, () => Heads>> = {
  upernet: () =>
    new Heads(
      new UperHead({ inChannels: [16, 32, 64, 128], channels: 32, classes: CLASSES }),
      new FcnHead({ index: 2, inChannels: 64, channels: 24, convs: 1, classes: CLASSES }),
    ),
  fcn_head: () =>
    new Heads(new FcnHead({ index: 3, inChannels: 128, channels: 32, convs: 2, concatInput: true, classes: CLASSES })),
};

/** On the native engine one activation of upernet's `even` rounds to the other side of a ReLU's kink. */
beforeAll(async () => {
  await openRuntime({ engine: 'wasm' });
});

/** Numbers of mmseg 0.11.0 (EncoderDecoder, batch norms on running statistics, no dropout). */
describe.each(Object.entries(HEADS))('%s', (file, create) => {
  const golden = readFixture(__dirname, file) as GoldenHeads;
  let heads: Heads;

  beforeAll(() => {
    heads = create();
    fillGoldenPart(heads, '');
  });
  afterAll(() => heads.dispose());

  it('has the official names and shapes, in order', () => {
    expect(stateShapes(heads)).toEqual(golden.state_dict);
  });

  it.each(Object.entries(golden.cases))('logits, %s', async (_, { inputs, outputs }) => {
    const maps = mapsOf(inputs);
    const { decodeHead, auxiliaryHead } = heads;
    await expectMap(decodeHead.forward(maps, inferencePass()), outputs.logits, 'logits');
    if (outputs.aux_logits === undefined) return;
    await expectMap(auxiliaryHead!.forward(maps, inferencePass()), outputs.aux_logits, 'auxiliary logits');
    const scales = createScales(128, 32);
    fillGoldenPart(
      new (class extends Module {
        readonly pspModules = scales;
      })(),
      'decode_head.',
    );
    const pooled = poolPyramid(scales, maps[3]!, inferencePass());
    for (const [i, stats] of outputs.ppm!.entries()) {
      await expectMap(resizeTo(pooled[i + 1]!, maps[3]!.shape), stats, `pooled ${i}`);
    }
  });

  it.each(Object.entries(golden.cases))('losses and gradients, %s', async (_, { inputs, loss }) => {
    const maps = mapsOf(inputs);
    const labels = labelsOf(loss.label, loss.label_shape);
    const pass = new ForwardPass({ mode: 'infer' });
    const part = (head: DecodeHead) => segmentationLoss(head.forward(maps, pass), labels);
    const decode = part(heads.decodeHead);
    const auxiliary = heads.auxiliaryHead && part(heads.auxiliaryHead);
    const found = {
      'decode.loss_seg': decode.loss,
      'decode.acc_seg': decode.accuracy,
      ...(auxiliary && { 'aux.loss_seg': tf.mul(auxiliary.loss, 0.4), 'aux.acc_seg': auxiliary.accuracy }),
    };
    for (const [name, value] of Object.entries(found)) {
      expectClose(await value.data(), [loss.losses[name]!], { rtol: 1e-5 }, name);
    }
    const parameters = [...heads.parameters()];
    const sources = maps.map((map) => tf.variable(map));
    const { grads } = tf.variableGrads(() => {
      const total = segmentationLoss(heads.decodeHead.forward(sources as tf.Tensor4D[], pass), labels).loss;
      if (heads.auxiliaryHead === undefined) return total;
      const { loss: other } = segmentationLoss(heads.auxiliaryHead.forward(sources as tf.Tensor4D[], pass), labels);
      return tf.add(total, tf.mul(other, 0.4));
    }, [...sources, ...parameters.map(([, { variable }]) => variable)]);
    const ofInputs = Object.keys(inputs).map((name, i) => [name, grads[sources[i]!.name]] as const);
    for (const [name, gradient] of ofInputs) {
      const stats = loss.gradient_of_total[name]!;
      if (stats === null) expect(gradient).toBeUndefined();
      else await expectMap(gradient as tf.Tensor4D, stats, name, { tolerance: 1e-4, relativeTo: 'max' });
    }
    for (const [name, parameter] of parameters) {
      const stats = loss.gradient_of_total[name];
      if (!stats) continue;
      const values = parameter.toTorchOrder(grads[parameter.variable.name]!.dataSync<'float32'>());
      expectGoldenStats(values, stats, { tolerance: 1e-4, relativeTo: 'max' }, name);
    }
    tf.dispose([sources, grads]);
  });

  it.each(Object.entries(golden.cases))(
    'inference at the original size, %s',
    async (_, { inputs, image, ...expected }) => {
      const [height, width] = expected.ori_shape;
      const { inference } = expected;
      const logits = heads.decodeHead.forward(mapsOf(inputs), inferencePass());
      const images = tf.split<tf.Tensor4D>(logits, logits.shape[0], 0).map((map): View => {
        const window = { y: 0, x: 0, height: image[0], width: image[1] };
        return { height: image[0], width: image[1], isMirrored: false, windows: [{ ...window, logits: map }] };
      });
      const strips = images.map((view) => tf.concat([...probabilityStrips([view], { height, width })], 0));
      const stats = inference.probabilities_at_ori_shape;
      await expectMap(tf.stack(strips) as tf.Tensor4D, stats, 'probabilities', { tolerance: 1e-5 });
      for (const [i, view] of images.entries()) {
        const map = await predictMap([view], { height, width });
        const histogram = Array.from({ length: CLASSES }, (_, k) => map.filter((value) => value === k).length);
        const apart = histogram.reduce((sum, count, k) => sum + Math.abs(count - inference.label_histogram[i]![k]!), 0);
        expect(apart / 2).toBeLessThanOrEqual(inference.argmax_gap_below_1e_5);
        expect([...map.slice(0, 16)]).toEqual(inference.first_row_first_16[i]);
        const mirrored = await predictMap([{ ...view, isMirrored: true }], { height, width });
        expect([...mirrored.slice(0, 16)]).toEqual(inference.flip_first_row_first_16[i]);
      }
    },
  );
});

const { cases: losses } = readFixture(__dirname, 'losses') as {
  cases: { cross_entropy_mmseg_ignore: { loss: number; acc: number; grad: GoldenStats } };
};

describe('segmentationLoss', () => {
  it('matches golden/losses.json where some pixels are ignored', async () => {
    const golden = losses.cross_entropy_mmseg_ignore;
    const shape = [2, 6, 9, 7];
    const logits = tf.tensor4d(
      goldenMap('loss.seg.pred', shape).map((value) => 3 * value),
      [2, 9, 7, 6],
    );
    const ignored = goldenNoise('loss.seg.ignore', [2, 9, 7]);
    const noise = goldenNoise('loss.seg.label', [2, 9, 7]);
    const values = Array.from(noise, (r, i) => (ignored[i]! > 0.5 ? 255 : Math.floor(((r + 1) / 2) * 6)));
    const labels = tf.tensor3d(values, [2, 9, 7], 'int32');
    const { loss, accuracy } = segmentationLoss(logits, labels);
    expectClose(await loss.data(), [golden.loss], { rtol: 1e-5 });
    expectClose(await accuracy.data(), [golden.acc], { rtol: 1e-5 });
    const gradient = tf.grad((x) => segmentationLoss(x as tf.Tensor4D, labels).loss)(logits);
    await expectMap(gradient as tf.Tensor4D, golden.grad, 'gradient', { tolerance: 1e-4, relativeTo: 'max' });
  });

  it('is 0 with a gradient of 0 where everything is ignored', async () => {
    const labels = tf.fill<tf.Rank.R3>([1, 4, 4], 255, 'int32');
    const logits = tf.randomNormal<tf.Rank.R4>([1, 2, 2, 3], 0, 1, 'float32', 1);
    const { value, grad } = tf.valueAndGrad((x) => segmentationLoss(x as tf.Tensor4D, labels).loss)(logits);
    expect([...(await value.data())]).toEqual([0]);
    expect(new Set((await grad.data()).map(Math.abs))).toEqual(new Set([0]));
  });

  it('names both shapes when the batches differ', () => {
    const call = (): unknown => segmentationLoss(tf.zeros([2, 4, 4, 3]), tf.zeros([1, 8, 8], 'int32'));
    expect(call).toThrow('expected 1 maps for labels [1,8,8], received [2,4,4,3]');
  });
});

function mapsOf(inputs: GoldenCase['inputs']): tf.Tensor4D[] {
  return Object.entries(inputs).map(([name, shape]) => {
    const [n, c, h, w] = shape;
    return tf.tensor4d(goldenMap(name, shape), [n, h, w, c]);
  });
}

function labelsOf(name: string, [n, , h, w]: readonly [number, number, number, number]): tf.Tensor3D {
  const shape = [n, 1, h, w];
  const ignored = goldenNoise(`${name}.ignore`, shape);
  const classes = Array.from(goldenNoise(name, shape), (r, i) => {
    return ignored[i]! > 0.7 ? 255 : Math.floor(((r + 1) / 2) * CLASSES);
  });
  return tf.tensor3d(classes, [n, h, w], 'int32');
}

async function expectMap(
  map: tf.Tensor4D,
  stats: GoldenStats,
  what: string,
  options: Parameters<typeof expectGoldenStats>[2] = { tolerance: 1e-4 },
): Promise<void> {
  expectGoldenStats(nhwcToNchw((await map.data()) as Float32Array, map.shape), stats, options, what);
}
