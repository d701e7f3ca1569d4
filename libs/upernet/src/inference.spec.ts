import * as tf from '@tensorflow/tfjs-core';
import { Conv2d, inferencePass, Module } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import {
  expectClose,
  expectGoldenStats,
  expectNoLeaks,
  fillGoldenPart,
  goldenMap,
  nhwcToNchw,
  readFixture,
  type GoldenStats,
} from '@pyramidal/testing';
import { FcnHead } from './fcn-head';
import { disposeViews, predictMap, probabilityStrips } from './predict-map';
import { type InferenceMode, inferView, type Network, viewLogits } from './view';
import { slideWindows } from './slide-windows';

interface GoldenCase {
  readonly test_cfg: { mode: 'whole' | 'slide'; crop_size?: [number, number]; stride?: [number, number] };
  readonly input: Readonly<Record<string, readonly [number, number, number, number]>>;
  readonly ori_shape: readonly [number, number];
  readonly rescale: boolean;
  readonly flip: string | null;
  readonly windows: number;
  readonly first_window: readonly [number, number];
  readonly logits: GoldenStats;
  readonly probabilities: GoldenStats;
  readonly label_histogram: readonly number[];
  readonly first_row_first_24: readonly number[];
}

const { cases } = readFixture(__dirname, 'slide_inference') as {
  cases: Record<string, GoldenCase>;
};

/** The small network of golden/slide_inference.json. */
class OneConv extends Module {
  readonly backbone = new (class extends Module {
    readonly conv = new Conv2d(3, 8, 3, { stride: 2, padding: 1 });
  })();
  readonly decodeHead = new FcnHead({ index: 0, inChannels: 8, channels: 8, convs: 0, classes: 5 });

  forward(image: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => this.decodeHead.forward([tf.relu(this.backbone.conv.forward(image))], inferencePass()));
  }
}

const network = new OneConv();

beforeAll(async () => {
  await openRuntime();
  fillGoldenPart(network, '');
});
afterAll(() => network.dispose());

/** Numbers of mmseg 0.11.0 (EncoderDecoder.slide_inference, whole_inference). */
it.each(Object.entries(cases))('looks as the reference does, %s', async (_, golden) => {
  const [[name, shape]] = Object.entries(golden.input) as [[string, GoldenCase['input'][string]]];
  const [n, channels, h, w] = shape;
  const image = tf.tensor4d(goldenMap(name, shape), [n, h, w, channels]);
  // The golden input is what the network sees, mirrored already.
  const isMirrored = golden.flip !== null;
  const seen = isMirrored ? tf.reverse(image, 2) : image;
  const view = inferView((x) => network.forward(x), seen, modeOf(golden.test_cfg), isMirrored);
  expect(view.windows).toHaveLength(golden.windows);
  expect([view.windows[0]!.height, view.windows[0]!.width]).toEqual(golden.first_window);

  const [height, width] = golden.rescale ? golden.ori_shape : [h, w];
  const logits = viewLogits(view, { height, width }, { start: 0, end: height });
  await expectMap(logits, golden.logits);
  const probabilities = tf.concat([...probabilityStrips([view], { height, width })], 0);
  await expectMap(tf.expandDims(probabilities) as tf.Tensor4D, golden.probabilities);
  const map = await predictMap([view], { height, width });
  expect(Array.from({ length: 5 }, (_unused, k) => map.filter((value) => value === k).length)).toEqual(
    golden.label_histogram,
  );
  expect([...map.slice(0, 24)]).toEqual(golden.first_row_first_24);
});

describe('slideWindows', () => {
  it('moves the last windows back inside', () => {
    const square = (size: number) => ({ height: size, width: size });
    expect(slideWindows({ height: 5, width: 7 }, square(4), square(3)).map(({ y, x }) => [y, x])).toEqual([
      [0, 0],
      [0, 3],
      [1, 0],
      [1, 3],
    ]);
  });
});

describe('strips', () => {
  it('join to the whole, whatever their height', async () => {
    const image = tf.randomNormal<tf.Rank.R4>([1, 37, 45, 3], 0, 1, 'float32', 3);
    const crop = { height: 24, width: 24 };
    const mode = { mode: 'slide', crop, stride: { height: 16, width: 16 } } as const;
    const view = inferView((x) => network.forward(x), image, mode);
    const size = { height: 61, width: 50 };
    const whole = viewLogits(view, size, { start: 0, end: 61 });
    const parts = [
      [0, 1],
      [1, 30],
      [30, 61],
    ].map(([start, end]) => viewLogits(view, size, { start: start!, end: end! }));
    expectClose(await tf.concat(parts, 1).data(), await whole.data(), { atol: 1e-6 });
  });

  it('of a large image of many classes stay small', async () => {
    const many: Network = (x) => tf.zeros([1, x.shape[1] / 4, x.shape[2] / 4, 150]);
    const view = inferView(many, tf.zeros([1, 512, 2048, 3]), { mode: 'whole' });
    const heights = [];
    for (const strip of probabilityStrips([view], { height: 512, width: 2048 })) {
      heights.push(strip.shape[0]);
      strip.dispose();
      if (heights.length === 2) break;
    }
    expect(4 * heights[0]! * 2048 * 150).toBeLessThanOrEqual(16 * 2 ** 20);
  });

  it('of a network that always says the same are the same in every mode', async () => {
    const constant: Network = (x) => {
      const [, height, width] = x.shape;
      return tf.tile(tf.tensor4d([0.5, -1, 2], [1, 1, 1, 3]), [1, Math.ceil(height / 4), Math.ceil(width / 4), 1]);
    };
    const crop = { height: 16, width: 16 };
    const slide = { mode: 'slide', crop, stride: { height: 11, width: 11 } } as const;
    const image = tf.zeros<tf.Rank.R4>([1, 33, 41, 3]);
    const larger = tf.zeros<tf.Rank.R4>([1, 50, 62, 3]);
    const expected = tf.softmax(tf.tensor1d([0.5, -1, 2])).dataSync();
    for (const views of [
      [inferView(constant, image, { mode: 'whole' })],
      [inferView(constant, image, slide)],
      [inferView(constant, image, { mode: 'whole' }), inferView(constant, larger, slide, true)],
    ]) {
      const strips = tf.concat([...probabilityStrips(views, { height: 29, width: 40 })], 0);
      const rows = tf.tile(tf.tensor3d(expected, [1, 1, 3]), [29, 40, 1]);
      expectClose(await strips.data(), await rows.data(), { atol: 1e-6 });
    }
  });

  it('leave no tensors behind', async () => {
    const image = tf.zeros<tf.Rank.R4>([1, 33, 41, 3]);
    for (const isMirrored of [true, false]) {
      await expectNoLeaks(async () => {
        const views = [inferView((x) => network.forward(x), image, { mode: 'whole' }, isMirrored)];
        await predictMap(views, { height: 20, width: 30 });
        disposeViews(views);
      });
    }
  });
});

it.each([
  [5, 61, 50],
  [8, 20, 31],
  [21, 44, 90],
  [150, 33, 41],
])('finds the likeliest of %d classes at every pixel, of equal ones the first', async (classes, height, width) => {
  const logits = tf.randomNormal<tf.Rank.R4>([1, 9, 11, classes], 0, 1, 'float32', 7);
  const repeated = tf.concat([logits, logits], 3);
  const view = inferView(() => tf.clone(repeated), tf.zeros([1, 33, 41, 3]), { mode: 'whole' });
  const size = { height, width };
  const expected = tf.argMax(tf.concat([...probabilityStrips([view], size)], 0), 2);
  expect(await predictMap([view], size)).toEqual(Uint8Array.from(await expected.data()));
});

function modeOf({ mode, crop_size, stride }: GoldenCase['test_cfg']): InferenceMode {
  if (mode === 'whole') return { mode };
  const size = ([height, width]: [number, number]) => ({ height, width });
  return { mode, crop: size(crop_size!), stride: size(stride!) };
}

async function expectMap(map: tf.Tensor4D, stats: GoldenStats): Promise<void> {
  expectGoldenStats(nhwcToNchw((await map.data()) as Float32Array, map.shape), stats, { tolerance: 1e-5 }, 'map');
}
