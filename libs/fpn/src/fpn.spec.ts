/** The feature pyramid network against MMDetection's `FPN`. */
import * as tf from '@tensorflow/tfjs-core';
import { openRuntime } from '@pyramidal/runtime';
import {
  expectGoldenStats,
  expectNoLeaks,
  fillGoldenPart,
  goldenMap,
  nhwcToNchw,
  readFixture,
  stateShapes,
  type GoldenStats,
} from '@pyramidal/testing';
import { Fpn, type FpnOptions } from './fpn';

interface GoldenFpn {
  readonly config: {
    readonly in_channels: number[];
    readonly out_channels: number;
    readonly num_outs: number;
    readonly start_level?: number;
    readonly add_extra_convs?: 'on_input' | 'on_output';
    readonly relu_before_extra_convs?: boolean;
  };
  readonly state_dict: readonly (readonly [string, readonly number[]])[];
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  readonly outputs: readonly GoldenStats[];
}

const { cases } = readFixture(__dirname, 'fpn') as {
  cases: Record<string, GoldenFpn>;
};

const STRIDES = [4, 8, 16, 32];
const LEVELS = [6, 8, 10, 12].map((channels, i) => ({ channels, stride: STRIDES[i]! }));

beforeAll(async () => {
  await openRuntime();
});

describe.each(Object.entries(cases))('Fpn, %s', (_, golden) => {
  it('gives the reference outputs', async () => {
    const fpn = new Fpn(optionsOf(golden));
    expect(stateShapes(fpn, 'neck.')).toEqual(golden.state_dict);
    fillGoldenPart(fpn, 'neck.');
    const maps = Object.entries(golden.inputs).map(([name, shape]) => {
      const [n, c, h, w] = shape as [number, number, number, number];
      return tf.tensor4d(goldenMap(name, shape), [n, h, w, c]);
    });
    const outputs = fpn.forward(maps);
    for (const [i, output] of outputs.entries()) {
      const values = nhwcToNchw((await output.data()) as Float32Array, output.shape);
      expectGoldenStats(values, golden.outputs[i]!, { tolerance: 1e-4 }, `output ${i}`);
    }
    expect(outputs).toHaveLength(golden.outputs.length);
    tf.dispose([maps, outputs]);
    fpn.dispose();
  });
});

describe('Fpn', () => {
  const pyramid = (sizes: readonly (readonly [number, number])[]): tf.Tensor4D[] =>
    sizes.map(([h, w], i) => tf.randomNormal([2, h, w, LEVELS[i]!.channels], 0, 1, 'float32', i + 1));

  it('declares its strides', () => {
    expect(new Fpn({ levels: LEVELS, channels: 8, outputs: 5 }).strides).toEqual([4, 8, 16, 32, 64]);
    const retina = new Fpn({ levels: LEVELS, channels: 8, outputs: 5, startLevel: 1, extra: 'on-input' });
    expect(retina.strides).toEqual([8, 16, 32, 64, 128]);
  });

  it.each<Pick<FpnOptions, 'extra' | 'startLevel'>>([{}, { extra: 'on-input', startLevel: 1 }, { extra: 'on-output' }])(
    'sends a finite, non-zero gradient to every parameter (%j)',
    (options) => {
      const fpn = new Fpn({ levels: LEVELS, channels: 8, outputs: 5, ...options });
      fpn.initialize(1);
      const { value, grads } = tf.variableGrads(() => {
        const outputs = fpn.forward(pyramid([[13, 9], [7, 5], [4, 3], [2, 2]])); // prettier-ignore
        return tf.addN(outputs.map((map) => tf.sum(tf.square(map)))) as tf.Scalar;
      });
      const unused = options.startLevel ?? 0;
      expect(fpn.lateralConvs).toHaveLength(4 - unused);
      for (const [name, { variable }] of fpn.parameters()) {
        const norm = tf.tidy(() => tf.sum(tf.abs(grads[variable.name]!)).dataSync()[0]!);
        expect([name, Number.isFinite(norm) && norm > 0]).toEqual([name, true]);
      }
      tf.dispose([value, grads]);
      fpn.dispose();
    },
  );

  it('leaves the tensor count unchanged', async () => {
    const fpn = new Fpn({ levels: LEVELS, channels: 8, outputs: 5 });
    fpn.initialize(1);
    const maps = pyramid([[13, 9], [7, 5], [4, 3], [2, 2]]); // prettier-ignore
    await expectNoLeaks(() => tf.dispose(fpn.forward(maps)));
    expect(() => fpn.forward(maps.slice(1))).toThrow('Fpn: expected 4 maps, received 3');
    tf.dispose(maps);
    fpn.dispose();
  });

  it('needs an output for every level', () => {
    expect(() => new Fpn({ levels: LEVELS, channels: 8, outputs: 3 })).toThrow('expected at least 4 outputs');
  });
});

function optionsOf({ config }: GoldenFpn): FpnOptions {
  const extra = { on_input: 'on-input', on_output: 'on-output' } as const;
  return {
    levels: config.in_channels.map((channels, i) => ({ channels, stride: STRIDES[i]! })),
    channels: config.out_channels,
    outputs: config.num_outs,
    startLevel: config.start_level ?? 0,
    extra: config.add_extra_convs === undefined ? 'subsample' : extra[config.add_extra_convs],
    reluBeforeExtra: config.relu_before_extra_convs ?? false,
  };
}
