import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { Fpn } from '@pyramidal/fpn';
import { inferencePass, Module } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import {
  expectClose,
  expectGoldenStats,
  fillGoldenPart,
  goldenMap,
  goldenNoise,
  type GoldenStats,
  nhwcToNchw,
} from '@pyramidal/testing';
import { predictMap, probabilityStrips, SemanticFpnHead, segmentationLoss, type View } from '@pyramidal/upernet';

interface GoldenCase {
  readonly inputs: Readonly<Record<string, readonly [number, number, number, number]>>;
  readonly image: readonly [number, number];
  readonly ori_shape: readonly [number, number];
  readonly outputs: { readonly logits: GoldenStats; readonly neck: readonly GoldenStats[] };
  readonly loss: {
    readonly label: string;
    readonly label_shape: readonly [number, number, number, number];
    readonly losses: Readonly<Record<string, number>>;
    readonly gradient_of_total: Readonly<Record<string, GoldenStats>>;
  };
  readonly inference: {
    readonly probabilities_at_ori_shape: GoldenStats;
    readonly label_histogram: readonly (readonly number[])[];
    readonly flip_first_row_first_16: readonly (readonly number[])[];
  };
}

const { cases, ...golden } = JSON.parse(readFileSync(join(__dirname, '../fixtures/semantic_fpn.json'), 'utf8')) as {
  state_dict: readonly (readonly [string, readonly number[]])[];
  cases: Record<string, GoldenCase>;
};

const CLASSES = 12;

/** Neck and head where they meet, under the names of the whole model. */
class Parts extends Module {
  readonly neck = new Fpn({
    levels: [16, 32, 64, 128].map((channels, i) => ({ channels, stride: 4 * 2 ** i })),
    channels: 32,
    outputs: 4,
  });
  readonly decodeHead = new SemanticFpnHead({ inChannels: 32, levels: 4, channels: 16, classes: CLASSES });

  forward(maps: readonly tf.Tensor4D[]): tf.Tensor4D {
    return this.decodeHead.forward(this.neck.forward(maps), inferencePass());
  }
}

/** Numbers of mmseg 0.11.0 (EncoderDecoder with FPN and FPNHead). */
describe('Semantic FPN', () => {
  const parts = new Parts();

  beforeAll(async () => {
    await openRuntime({ engine: 'wasm' });
    fillGoldenPart(parts, '');
  });
  afterAll(() => parts.dispose());

  it('has the official names and shapes, in order', () => {
    expect([...parts.state()].map(([name, { torchShape }]) => [name, torchShape])).toEqual(golden.state_dict);
  });

  it.each(Object.entries(cases))('gives the reference numbers, %s', async (_, { inputs, image, ...expected }) => {
    const maps = Object.entries(inputs).map(([name, shape]) => {
      const [n, c, h, w] = shape;
      return tf.tensor4d(goldenMap(name, shape), [n, h, w, c]);
    });
    for (const [i, map] of parts.neck.forward(maps).entries()) await expectMap(map, expected.outputs.neck[i]!);
    const logits = parts.forward(maps);
    await expectMap(logits, expected.outputs.logits);

    const labels = labelsOf(expected.loss.label, expected.loss.label_shape);
    const { loss, accuracy } = segmentationLoss(logits, labels);
    expectClose(await loss.data(), [expected.loss.losses['decode.loss_seg']!], { rtol: 1e-5 }, 'loss');
    expectClose(await accuracy.data(), [expected.loss.losses['decode.acc_seg']!], { rtol: 1e-5 }, 'accuracy');
    const parameters = [...parts.parameters()];
    const sources = maps.map((map) => tf.variable(map));
    const { grads } = tf.variableGrads(
      () => segmentationLoss(parts.forward(sources as tf.Tensor4D[]), labels).loss,
      [...sources, ...parameters.map(([, { variable }]) => variable)],
    );
    const close = { tolerance: 1e-4, relativeTo: 'max' } as const;
    for (const [i, name] of Object.keys(inputs).entries()) {
      await expectMap(grads[sources[i]!.name] as tf.Tensor4D, expected.loss.gradient_of_total[name]!, close);
    }
    for (const [name, parameter] of parameters) {
      const stats = expected.loss.gradient_of_total[name];
      if (stats === undefined) continue;
      const gradient = grads[parameter.variable.name]!.dataSync<'float32'>();
      expectGoldenStats(parameter.toTorchOrder(gradient), stats, close, name);
    }

    const [height, width] = expected.ori_shape;
    const { inference } = expected;
    const views = tf.split<tf.Tensor4D>(logits, logits.shape[0], 0).map((map): View => {
      const whole = { height: image[0], width: image[1] };
      return { ...whole, isMirrored: false, windows: [{ y: 0, x: 0, ...whole, logits: map }] };
    });
    const strips = views.map((view) => tf.concat([...probabilityStrips([view], { height, width })], 0));
    await expectMap(tf.stack(strips) as tf.Tensor4D, inference.probabilities_at_ori_shape);
    for (const [i, view] of views.entries()) {
      const map = await predictMap([view], { height, width });
      const histogram = Array.from({ length: CLASSES }, (_unused, k) => map.filter((value) => value === k).length);
      expect(histogram).toEqual(inference.label_histogram[i]);
      const mirrored = await predictMap([{ ...view, isMirrored: true }], { height, width });
      expect([...mirrored.slice(0, 16)]).toEqual(inference.flip_first_row_first_16[i]);
    }
  });
});

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
  options: Parameters<typeof expectGoldenStats>[2] = { tolerance: 1e-4 },
): Promise<void> {
  expectGoldenStats(nhwcToNchw((await map.data()) as Float32Array, map.shape), stats, options, 'map');
}
