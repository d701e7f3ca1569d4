import * as tf from '@tensorflow/tfjs-core';
import { openRuntime } from '@pyramidal/runtime';
import { type InitialBoxes, LearnedProposals } from './proposals';

beforeAll(() => openRuntime());

function boxesOf(count: number, initialBoxes: InitialBoxes): number[][] {
  const proposals = new LearnedProposals(count, 4, initialBoxes);
  proposals.initialize(0);
  const [boxes] = tf.tidy(() => proposals.forward(tf.tensor2d([[60, 120]])).boxes.arraySync());
  proposals.dispose();
  return boxes!;
}

describe('LearnedProposals', () => {
  it('start as large as the image', () => {
    expect(boxesOf(2, 'image')).toEqual([
      [0, 0, 120, 60],
      [0, 0, 120, 60],
    ]);
  });

  it('start on a regular grid, two by two cells large, whose last line may be short', () => {
    const rounded = boxesOf(5, 'grid').map((box) => box.map(Math.round));
    expect(rounded).toEqual([
      [-20, -15, 60, 45],
      [20, -15, 100, 45],
      [60, -15, 140, 45],
      [-20, 15, 60, 75],
      [20, 15, 100, 75],
    ]);
  });
});
