/** Costs and matchings against those of Deformable DETR's HungarianMatcher (fixtures/matcher.json). */
import * as tf from '@tensorflow/tfjs-core';
import { compile } from '@pyramidal/graph';
import {
  expectClose,
  expectNoLeaks,
  goldenNoise,
  goldenValues,
  inEngine,
  readFixture,
  type GoldenFull,
} from '@pyramidal/testing';
import { DEFORMABLE_DETR } from './deformable-detr';
import { hungarianMatch, matchingCosts, type SetPrediction } from './hungarian-matcher';
import { matchedLosses } from './set-criterion';
import type { SetTruth } from './set-truth';

interface GoldenMatch {
  readonly queries: number;
  /** Besides, the shape by its name. */
  readonly logits_input: Readonly<Record<string, unknown>> & { readonly scale: number; readonly shift: number };
  readonly boxes_cxcywh: GoldenFull;
  readonly target_boxes_cxcywh: readonly GoldenFull[];
  readonly target_labels: readonly (readonly number[])[];
  readonly cost: readonly GoldenFull[];
  readonly indices: readonly (readonly [number[], number[]])[];
}

const { cases } = readFixture(__dirname, 'matcher') as {
  cases: Record<string, GoldenMatch>;
};
const COSTS = { ...DEFORMABLE_DETR, weights: DEFORMABLE_DETR.costs };

function predictionOf(name: string, { logits_input, queries, boxes_cxcywh }: GoldenMatch): SetPrediction {
  const { scale, shift, ...named } = logits_input;
  const [[key, shape]] = Object.entries(named) as [[string, [number, number, number]]];
  expect([key, shape[1]]).toEqual([`match.${name}.logits`, queries]);
  const drawn = tf.tensor3d(Float32Array.from(goldenNoise(key, shape)), shape);
  // The second half of these queries is the first half once more.
  const half = tf.slice(drawn, [0, 0, 0], [-1, queries / 2, -1]);
  const noise = name === 'duplicate_queries' ? tf.concat([half, half], 1) : drawn;
  return {
    logits: tf.add(tf.mul(noise, scale), shift),
    boxes: tf.tensor3d(goldenValues(boxes_cxcywh), [shape[0], queries, 4]),
  };
}

/** Two rows more than there are objects. */
function truthOf({ target_boxes_cxcywh, target_labels }: GoldenMatch): SetTruth {
  const rows = Math.max(...target_labels.map((labels) => labels.length)) + 2;
  const labels = target_labels.map((own) => [...own, ...Array<number>(rows - own.length).fill(-1)]);
  const values = target_boxes_cxcywh.map((own) => [...goldenValues(own), ...Array<number>(4 * rows).fill(0)]);
  const boxes = tf.tensor3d(values.flatMap((own) => own.slice(0, 4 * rows)), [labels.length, rows, 4]); // prettier-ignore
  return { labels: tf.tensor2d(labels, undefined, 'int32'), boxes };
}

/** The number of each query's object, 0 for none. */
const expectedMatches = ({ indices, queries }: GoldenMatch): number[] =>
  indices.flatMap(([rows, columns]) => {
    const own = Array<number>(queries).fill(0);
    rows.forEach((row, i) => (own[row] = columns[i]! + 1));
    return own;
  });

inEngine();

describe.each(Object.entries(cases))('%s', (name, golden) => {
  it('costs what the reference computes', () => {
    const costs = matchingCosts(predictionOf(name, golden), truthOf(golden), COSTS);
    golden.cost.forEach((expected, image) => {
      const objects = golden.target_labels[image]!.length;
      const own = tf.slice(costs, [image, 0, 0], [1, golden.queries, objects]).dataSync();
      expectClose(own, goldenValues(expected), { rtol: 1e-5, atol: 1e-5 }, `image ${image}`);
    });
  });

  it('is matched as the reference matches it', () => {
    const matches = hungarianMatch(predictionOf(name, golden), truthOf(golden), COSTS);
    expect([...matches.dataSync()]).toEqual(expectedMatches(golden));
  });
});

it('gives the same in a compiled step, without leaving tensors', async () => {
  const golden = cases['two_images']!;
  const match = compile(({ logits, boxes, labels, objects }: tf.NamedTensorMap) => ({
    matches: hungarianMatch({ logits, boxes } as SetPrediction, { labels, boxes: objects } as SetTruth, COSTS),
  }));
  const { boxes: objects, labels } = truthOf(golden);
  const inputs = { ...predictionOf('two_images', golden), labels, objects };
  expect([...match(inputs).matches.dataSync()]).toEqual(expectedMatches(golden));
  await expectNoLeaks(() => tf.dispose(match(inputs)));
  match.dispose();
});

it('sends finite gradients, and none to the boxes of background', () => {
  const golden = cases['two_images']!;
  const { logits, boxes } = predictionOf('two_images', golden);
  const truth = truthOf(golden);
  // The first query of each image has no size and lies where rows without an object do.
  const kept = tf.concat([tf.zeros([2, 1, 4]), tf.ones([2, golden.queries - 1, 4])], 1);
  const gradients = tf.grads((l: tf.Tensor, b: tf.Tensor) =>
    tf.addN(Object.values(matchedLosses({ logits: l, boxes: b } as SetPrediction, truth, DEFORMABLE_DETR))),
  )([logits, tf.mul(boxes, kept)]);
  for (const gradient of gradients) expect([...gradient.dataSync()].every(Number.isFinite)).toBe(true);
  expect([...tf.slice(gradients[1]!, [0, 0, 0], [1, 1, 4]).dataSync()]).toEqual([0, 0, 0, 0]);
});

it('says which cost is not a number', () => {
  const golden = cases['two_images']!;
  const { logits, boxes } = predictionOf('two_images', golden);
  const broken = { logits: tf.mul<tf.Tensor3D>(logits, NaN), boxes };
  expect(() => hungarianMatch(broken, truthOf(golden), COSTS).dataSync()).toThrow(/the cost of row 0 and column 0/i);
});
