/** Blocks of parameters and the state beside them: joined, split and restored without a change of value. */
import * as tf from '@tensorflow/tfjs-core';
import { initializers, Parameter } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { expectNoLeaks } from '@pyramidal/testing';
import { makeBlocks, type ParameterBlock, type Pace } from './parameter-block';
import { BlockState } from './block-state';

beforeAll(() => openRuntime({ engine: 'cpu' }));

const slow: Pace = { index: 0, lrScale: 0.1, weightDecay: 0 };
const fast: Pace = { index: 1, lrScale: 1, weightDecay: 0.1 };

function parametersOf(shapes: Record<string, number[]>): Map<string, Parameter> {
  return new Map(
    Object.entries(shapes).map(([name, shape], i) => {
      const parameter = new Parameter({ shape, init: initializers.zeros });
      parameter.assignTorch(Float32Array.from({ length: parameter.size }, (_, k) => 100 * i + k));
      return [name, parameter];
    }),
  );
}

const shapes = { a: [2, 3], huge: [256, 200], b: [2], c: [1, 1, 3], d: [] };
const paces = new Map([
  ['a', fast],
  ['huge', fast],
  ['b', slow],
  ['c', fast],
  ['d', fast],
]);

describe('makeBlocks', () => {
  let blocks: ParameterBlock[];
  beforeEach(() => (blocks = makeBlocks(parametersOf(shapes), paces)));

  it('leaves large parameters alone and puts small ones of a pace together', () => {
    expect(blocks.map(({ parts }) => parts.map(({ name, offset }) => [name, offset]))).toEqual([
      [['huge', 0]],
      [
        ['a', 0],
        ['c', 6],
        ['d', 9],
      ],
      [['b', 0]],
    ]);
    expect(blocks.map(({ shape }) => shape)).toEqual([[256, 200], [10], [2]]);
    expect(blocks.map(({ pace }) => pace)).toEqual([fast, fast, slow]);
  });

  it('joins values in order and gives them back, all but some', () => {
    const [, small] = blocks;
    expect(Array.from(small!.values().dataSync())).toEqual([0, 1, 2, 3, 4, 5, 300, 301, 302, 400]);
    small!.assign(tf.tensor1d([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]), new Set(['c']));
    expect(small!.parts.map(({ parameter: { variable } }) => variable.arraySync())).toEqual([
      [
        [9, 8, 7],
        [6, 5, 4],
      ],
      [[[300, 301, 302]]],
      0,
    ]);
  });

  it('joins zeros where there is no tensor', () => {
    const joined = blocks[1]!.join(({ name }) => (name === 'c' ? tf.ones([1, 1, 3]) : undefined));
    expect(Array.from(joined.dataSync())).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 0]);
  });
});

describe('BlockState', () => {
  it('reads and restores each parameter by name', () =>
    expectNoLeaks(() => {
      const parameters = parametersOf(shapes);
      const blocks = makeBlocks(parameters, paces);
      const copy = new BlockState(blocks, (block) => block.values());
      const zeros = BlockState.zeros(blocks);
      const readers = copy.readers();
      zeros.restore(({ name }) => readers.get(name)!());
      for (const [name, read] of zeros.readers()) {
        expect(Array.from(read())).toEqual(Array.from(parameters.get(name)!.variable.dataSync()));
      }
      [copy, zeros, ...parameters.values()].forEach((item) => item.dispose());
    }));
});
