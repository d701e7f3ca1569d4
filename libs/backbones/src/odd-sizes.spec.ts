/** Sizes that no published variant has, against the official implementations. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inferencePass, LEVELS } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { expectClose, fillWithGolden, goldenTensor, nchwToNhwc, nhwcIndex } from '@pyramidal/testing';
import * as tf from '@tensorflow/tfjs-core';
import { coat, type CoaTOptions } from './coat';
import { groupMixFormer, type GroupMixFormerOptions } from './groupmixformer';
import { smt, type SmtOptions } from './smt';

/**
 * Widths, depths and ratios that no published size has, at odd sides: where a rule such as "an eighth, rounded down" shows.
 * The numbers are PyTorch's in float64, of modules written anew by the rules of the official code.
 */
type Case =
  | { readonly family: 'groupMixFormer'; readonly options: GroupMixFormerOptions }
  | { readonly family: 'coat'; readonly options: CoaTOptions }
  | { readonly family: 'smt'; readonly options: SmtOptions };

interface Numbers {
  readonly input: readonly [number, number, number, number];
  readonly maps: readonly {
    readonly shape: readonly number[];
    readonly maxAbs: number;
    /** Places in PyTorch's order. */
    readonly at: readonly number[];
    readonly values: readonly number[];
  }[];
}

const CASES = JSON.parse(readFileSync(join(__dirname, '../fixtures/odd-sizes.json'), 'utf8')) as (Case & Numbers)[];

function create(given: Case) {
  if (given.family === 'groupMixFormer') return groupMixFormer.create(given.options);
  return given.family === 'coat' ? coat.create(given.options) : smt.create(given.options);
}

beforeAll(async () => {
  await openRuntime();
});

it.each(CASES.map((one) => [`${one.family} ${one.options.channels.join(' ')}`, one] as const))('%s', (_, given) => {
  const backbone = create(given);
  fillWithGolden(backbone);
  const [n, c, h, w] = given.input;
  tf.tidy(() => {
    const images = tf.tensor4d(nchwToNhwc(goldenTensor('input', given.input), given.input), [n, h, w, c]);
    const maps = backbone.forward(images, inferencePass());
    LEVELS.forEach((level, stage) => {
      const { shape, maxAbs, at, values } = given.maps[stage]!;
      const [batch, channels, height, width] = shape;
      expect(maps[level].shape).toEqual([batch, height, width, channels]);
      const found = maps[level].dataSync();
      const chosen = at.map((place) => found[nhwcIndex(place, shape)]!);
      expectClose(chosen, values, { atol: 1e-4 * maxAbs }, level);
    });
  });
  backbone.dispose();
});
