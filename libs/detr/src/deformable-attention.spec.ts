/** The module of deformable attention against MSDeformAttn (fixtures/msda_module.json). */
import * as tf from '@tensorflow/tfjs-core';
import type { MapSize } from '@pyramidal/nn';
import {
  expectClose,
  expectGoldenStats,
  fillGoldenPart,
  goldenNoise,
  inEngine,
  readFixture,
  stateShapes,
  type GoldenOverrides,
  type GoldenStats,
} from '@pyramidal/testing';
import { DeformableAttention } from './deformable-attention';

type Named = Record<string, number[]>;

const { module: golden } = readFixture(__dirname, 'msda_module') as {
  module: {
    state_dict: [string, number[]][];
    overrides: GoldenOverrides;
    spatial_shapes: MapSize[];
    query: Named;
    input: Named;
    padding_mask: number[][];
    upstream_gradient: Named;
    cases: Record<
      string,
      { reference_points_input: Named & { scale: number; shift: number }; output: GoldenStats; grad_input: GoldenStats }
    >;
  };
};

function named<T extends tf.Tensor>(input: Named): T {
  const [[name, shape]] = Object.entries(input) as [[string, number[]]];
  return tf.tensor(Float32Array.from(goldenNoise(name, shape)), shape) as T;
}

inEngine();

it.each(Object.entries(golden.cases))('gives the official numbers and gradients: %s', (_, expected) => {
  const attention = new DeformableAttention({ channels: 64, heads: 8, levels: 3, points: 4 });
  const state = stateShapes(attention, 'attn.');
  expect(state).toEqual(golden.state_dict);
  fillGoldenPart(attention, 'attn.', golden.overrides);
  const { scale, shift } = expected.reference_points_input;
  const references: tf.Tensor4D = tf.add(tf.mul(named(expected.reference_points_input), scale), shift);
  const valid = tf.tensor3d(golden.padding_mask.flatMap((image) => image.map((padded) => 1 - padded)), [2, 75, 1]); // prettier-ignore
  const run = (tokens: tf.Tensor): tf.Tensor =>
    attention.forward(named(golden.query), references, {
      maps: golden.spatial_shapes,
      tokens: tokens as tf.Tensor3D,
      valid,
    });
  const input = named(golden.input);
  expectGoldenStats(run(input).dataSync<'float32'>(), expected.output, { tolerance: 1e-5 }, 'output');
  const gradient = tf.grad(run)(input, named(golden.upstream_gradient));
  const tolerance = { tolerance: 1e-4, relativeTo: 'max' } as const;
  expectGoldenStats(gradient.dataSync<'float32'>(), expected.grad_input, tolerance, 'gradient');
});

it('begins around the query: each head in its direction, each point a cell further', () => {
  const attention = new DeformableAttention({ channels: 8, heads: 4, levels: 1, points: 2 });
  attention.initialize(1);
  const offsets = attention.samplingOffsets.bias!.variable.dataSync();
  expectClose(offsets, [1, 0, 2, 0, 0, 1, 0, 2, -1, 0, -2, 0, 0, -1, 0, -2], { atol: 1e-6 });
  expect([...attention.samplingOffsets.weight.variable.dataSync()].every((value) => value === 0)).toBe(true);
});

it('wants heads of one size', () => {
  expect(() => new DeformableAttention({ channels: 60, heads: 8, levels: 1, points: 1 })).toThrow(
    'deformable attention: expected a multiple of 8 channels, received 60',
  );
});
