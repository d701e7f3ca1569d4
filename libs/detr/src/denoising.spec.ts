/** Contrastive denoising against detrex's (fixtures/dino_units.json). */
import * as tf from '@tensorflow/tfjs-core';
import { expectClose, goldenNoise, goldenValues, inEngine, readFixture, type GoldenFull } from '@pyramidal/testing';
import { denoisingMask, denoisingSlots, type DenoisingDraws, drawNoise, slotCount } from './denoising';
import type { SetTruth } from './set-truth';

interface GoldenDenoising {
  readonly dn_number: number;
  readonly label_noise_ratio: number;
  readonly box_noise_scale: number;
  readonly matching_queries: number;
  readonly targets_cxcywh: readonly GoldenFull[];
  readonly labels: readonly (readonly number[])[];
  readonly groups: number;
  readonly slots_per_group: number;
  readonly draws: { readonly names: Readonly<Record<'p' | 'label' | 'sign' | 'part', [string, number[]]>> };
  readonly noised_labels: readonly number[];
  readonly query_boxes_unactivated: GoldenFull;
  readonly zero_slots: readonly (readonly number[])[];
  readonly attention_mask: readonly string[];
}

const { denoising } = readFixture(__dirname, 'dino_units') as {
  denoising: Record<string, GoldenDenoising>;
};
const CASES = Object.entries(denoising).filter(([, golden]) => golden.draws !== undefined);

inEngine();

function truthOf(
  { labels, targets_cxcywh }: Pick<GoldenDenoising, 'labels' | 'targets_cxcywh'>,
  rows: number,
): SetTruth {
  const boxes = targets_cxcywh.map((own) => [...goldenValues(own), ...Array<number>(4 * rows).fill(0)]);
  return {
    labels: tf.tensor2d(labels.map((own) => [...own, ...Array<number>(rows - own.length).fill(-1)]), undefined, 'int32'), // prettier-ignore
    boxes: tf.tensor3d(boxes.flatMap((own) => own.slice(0, 4 * rows)), [labels.length, rows, 4]), // prettier-ignore
  };
}

/** The reference draws for objects, one repeat after another; here slots have draws. */
function drawsOfSlots({ labels, draws, groups }: GoldenDenoising, slots: number): DenoisingDraws {
  const most = Math.max(...labels.map((own) => own.length));
  const all = labels.reduce((sum, own) => sum + own.length, 0);
  const spread = ([name, shape]: [string, number[]]): tf.Tensor => {
    const values = Float32Array.from(goldenNoise(name, shape), (r) => Math.fround((r + 1) / 2));
    const width = shape[1] ?? 1;
    const bySlot = new Float32Array(labels.length * slots * width).fill(0.25);
    for (let repeat = 0; repeat < 2 * groups; repeat++) {
      let drawn = repeat * all;
      labels.forEach((own, image) => {
        own.forEach((_, i) => {
          const slot = image * slots + repeat * most + i;
          bySlot.set(values.subarray(drawn * width, (drawn + 1) * width), slot * width);
          drawn++;
        });
      });
    }
    return tf.tensor(bySlot, [labels.length, slots, ...shape.slice(1)]);
  };
  const { p, label, sign, part } = draws.names;
  return {
    replaces: spread(p) as tf.Tensor2D,
    label: spread(label) as tf.Tensor2D,
    sign: spread(sign) as tf.Tensor3D,
    length: spread(part) as tf.Tensor3D,
  };
}

describe.each(CASES)('%s', (_, golden) => {
  const { dn_number: count, label_noise_ratio: labelNoise, box_noise_scale: boxNoise, groups, labels } = golden;
  const used = golden.slots_per_group * groups;
  const options = { count, labelNoise, boxNoise, classes: 20 };
  const rows = Math.max(...labels.map((own) => own.length)) + 3;
  const slots = slotCount(options, rows);
  const noisy = () => denoisingSlots(truthOf(golden, rows), drawsOfSlots(golden, slots), options);

  it('fills as many slots as the reference has', () => {
    const { counted, groups: found } = noisy();
    expect(found.dataSync()[0]).toBe(groups);
    const filled = Array.from({ length: slots }, (__, slot) => Number(slot < used));
    expect([...counted.dataSync()]).toEqual(labels.flatMap(() => filled));
  });

  it('moves boxes and replaces labels as the reference', () => {
    const { boxes, labels: found, assigned } = noisy();
    const own = tf.slice(boxes, [0, 0, 0], [-1, used, -1]).dataSync();
    expectClose(own, goldenValues(golden.query_boxes_unactivated), { rtol: 1e-4, atol: 1e-4 }, 'boxes');
    const [noised, wanted] = [found.arraySync(), assigned.arraySync()];
    const most = Math.max(...labels.map((image) => image.length));
    const expected = [...golden.noised_labels];
    for (let repeat = 0; repeat < 2 * groups; repeat++) {
      labels.forEach((image, n) => {
        image.forEach((__, i) => {
          expect(noised[n]![repeat * most + i]).toBe(expected.shift());
          expect(wanted[n]![repeat * most + i]).toBe(repeat % 2 === 0 ? i + 1 : 0);
        });
      });
    }
    const empty = noised.map((image) => image.flatMap((label, slot) => (label < 0 && slot < used ? [slot] : [])));
    expect(empty).toEqual(golden.zero_slots);
  });

  it('hides groups as the reference, and slots that nothing fills', () => {
    const { group } = noisy();
    const queries = golden.matching_queries;
    const mask = denoisingMask(group, queries).dataSync();
    const size = slots + queries;
    const shown = Array.from({ length: size }, (__, i) => i).filter((i) => i < used || i >= slots);
    const hidden = shown.map((row) => shown.map((column) => Number(mask[row * size + column]! < 0)));
    expect(hidden).toEqual(golden.attention_mask.map((row) => Array.from(row, Number)));
    for (let slot = used; slot < slots; slot++) {
      for (let row = 0; row < size; row++) expect(mask[row * size + slot]).toBeLessThan(-1e8);
    }
  });
});

it('fills no slot where there is no object', () => {
  const truth = truthOf({ labels: [[], []], targets_cxcywh: [{ shape: [0, 4], data: [] }, { shape: [0, 4], data: [] }] }, 2); // prettier-ignore
  const options = { count: 3, labelNoise: 0.5, boxNoise: 1, classes: 20 };
  const draws = drawNoise(2, 6, (count) => tf.fill([count], 0.5));
  const { labels, boxes, counted, assigned, groups } = denoisingSlots(truth, draws, options);
  expect([labels, counted, assigned].map((x) => [...new Set(x.dataSync())])).toEqual([[-1], [0], [0]]);
  expect([...new Set(boxes.dataSync())]).toEqual([0]);
  expect(groups.dataSync()[0]).toBeGreaterThanOrEqual(1);
});
