import * as tf from '@tensorflow/tfjs-core';
import {
  checkGradients,
  expectClose,
  expectNoLeaks,
  goldenNoise,
  onEngines,
  readFixture,
  wavesTensor,
} from '@pyramidal/testing';
import { deformableAttention, type MapSize } from './deformable-attention';

interface Values {
  readonly shape: number[];
  readonly data: number[];
}

interface Case {
  readonly spatial_shapes: MapSize[];
  readonly value_input: Record<string, number[]>;
  readonly sampling_locations: Values;
  readonly attention_weights: Values;
  readonly upstream_gradient: Record<string, number[]>;
  readonly output: Values;
  readonly grad_value: Values;
  readonly grad_sampling_locations: Values;
  readonly grad_attention_weights: Values;
}

/** What Deformable DETR's own code gives (formula of the inputs: `goldenNoise`). */
const { core } = readFixture(__dirname, 'msda') as {
  core: Record<string, Case>;
};

const given = ({ shape, data }: Values): tf.Tensor => tf.tensor(data, shape);

function named(input: Record<string, number[]>): tf.Tensor {
  const [[name, shape]] = Object.entries(input) as [[string, number[]]];
  return tf.tensor(Float32Array.from(goldenNoise(name, shape)), shape);
}

const attend = (maps: readonly MapSize[], values: tf.Tensor, locations: tf.Tensor, weights: tf.Tensor): tf.Tensor3D =>
  deformableAttention(values as tf.Tensor4D, maps, locations as tf.Tensor<tf.Rank.R6>, weights as tf.Tensor5D);

onEngines('deformableAttention', () => {
  it.each(Object.entries(core))('gives the official numbers and gradients: %s', async (_, golden) => {
    await expectNoLeaks(() =>
      tf.tidy(() => {
        const inputs = [named(golden.value_input), given(golden.sampling_locations), given(golden.attention_weights)];
        const f = (...[values, locations, weights]: tf.Tensor[]): tf.Tensor =>
          attend(golden.spatial_shapes, values!, locations!, weights!);
        expectClose(f(...inputs).dataSync(), given(golden.output).dataSync(), { atol: 1e-6 }, 'output');
        const gradients = tf.grads(f)(inputs, named(golden.upstream_gradient));
        const expected = [golden.grad_value, golden.grad_sampling_locations, golden.grad_attention_weights];
        for (const [i, values] of expected.entries()) {
          expectClose(gradients[i]!.dataSync(), given(values).dataSync(), { atol: 1e-5 }, `gradient ${i}`);
        }
      }),
    );
  });

  it('has the gradients of finite differences', async () => {
    const maps: MapSize[] = [
      [3, 4],
      [2, 2],
    ];
    const inputs = [
      wavesTensor([2, 16, 2, 3]),
      // Between cell centres, where the gradient has no steps.
      tf.tidy(() => tf.add(0.5, tf.mul(0.31, wavesTensor([2, 3, 2, 2, 2, 2])))),
      wavesTensor([2, 3, 2, 2, 2]),
    ];
    await checkGradients((values, locations, weights) => attend(maps, values!, locations!, weights!), inputs, {
      step: 1e-3,
    });
    tf.dispose(inputs);
  });

  it('wants as many cells as the maps have', () => {
    tf.tidy(() =>
      expect(() =>
        attend([[2, 2]], tf.zeros([1, 5, 1, 1]), tf.zeros([1, 1, 1, 1, 1, 2]), tf.zeros([1, 1, 1, 1, 1])),
      ).toThrow('deformableAttention: expected values of 4 cells, received [1,5,1,1]'),
    );
  });
});
