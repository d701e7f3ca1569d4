import * as tf from '@tensorflow/tfjs-core';
import { type Detections, randomKeys, type TruthBatch } from '@pyramidal/detector';
import { Backbone, inferencePass } from '@pyramidal/nn';
import { compile } from '@pyramidal/graph';
import {
  countDetections,
  expectClose,
  expectCompiledAsEager,
  expectGoldenGradients,
  expectGoldenStats,
  expectNoLeaks,
  fillGoldenPart,
  givenFeatures,
  goldenBatch,
  goldenMaps,
  goldenScales,
  goldenTruth,
  inEngine,
  readFixture,
  stateShapes,
  takeFirst,
  torchOrder,
  withoutGradient,
  type GoldenDetector,
  type GoldenStats,
} from '@pyramidal/testing';
import type { z } from 'zod';
import { atss, type Atss } from './atss';

type Losses<T> = Readonly<Record<'loss_cls' | 'loss_bbox' | 'loss_centerness', T>>;

interface GoldenRun {
  readonly gt_bboxes: readonly (readonly (readonly number[])[])[];
  readonly gt_labels: readonly (readonly number[])[];
  readonly losses: Losses<readonly number[]>;
  readonly sums: Losses<number>;
  readonly total: number;
  readonly gradient_of_total: Readonly<Record<string, GoldenStats>>;
}

interface GoldenPredictions {
  readonly test_cfg: { readonly nms_pre: number; readonly max_per_img: number };
  readonly counts: readonly number[];
  readonly detections: readonly { readonly labels: number[]; readonly scores: number[]; readonly boxes: number[][] }[];
  readonly detections_no_rescale_first_5: readonly { readonly labels: number[]; readonly boxes: number[][] }[];
}

const golden = readFixture(__dirname, 'atss') as GoldenDetector & {
  readonly forward: Readonly<Record<'fpn' | 'cls' | 'reg' | 'centerness', readonly GoldenStats[]>>;
  readonly training: Readonly<Record<string, GoldenRun>>;
  readonly inference: Readonly<Record<string, GoldenPredictions>>;
};

/** The reference has no level of stride 4; ours gives one that the neck leaves aside. */
const withFinest = (maps: readonly tf.Tensor4D[]): tf.Tensor4D[] => [tf.zeros([2, 64, 96, 1]), ...maps];

function partsOf(changes: z.input<typeof atss.schema> = {}) {
  const backbone = givenFeatures(Backbone, withFinest(goldenMaps(golden)), [1, 16, 32, 64]);
  const settings = atss.schema.parse({ hidden: 64, ...changes });
  const model = atss.create(settings, { backbone, neckChannels: 64, classes: 20 }) as Atss;
  expect(stateShapes(model)).toEqual(golden.state_dict);
  fillGoldenPart(model, '', golden.overrides);
  return { model, backbone };
}

const modelOf = (changes?: z.input<typeof atss.schema>): Atss => partsOf(changes).model;

/** One ReLU of level 2 has an input within rounding of zero, -1e-6; the reference's is positive, and so lets the gradient pass. */
function decide({ bboxHead }: Atss): void {
  const { bias } = bboxHead.regConvs[1]!.gn!;
  const isChannel = tf.equal(tf.range(0, bias.size), 23);
  bias.variable.assign(tf.add(bias.variable, tf.mul(tf.cast(isChannel, 'float32'), 3e-6)));
}

inEngine();

it('has the official parameters and gives the reference outputs', () => {
  const model = modelOf();
  const maps = model.neck.forward(withFinest(goldenMaps(golden)));
  const { fpn, cls, reg, centerness } = golden.forward;
  maps.forEach((map, i) => expectGoldenStats(torchOrder(map), fpn[i]!, { tolerance: 1e-4 }, `FPN ${i}`));
  model.bboxHead.forward(maps, inferencePass()).forEach((level, i) => {
    expectGoldenStats(torchOrder(level.logits), cls[i]!, { tolerance: 1e-4 }, `logits ${i}`);
    expectGoldenStats(torchOrder(level.deltas), reg[i]!, { tolerance: 1e-4 }, `deltas ${i}`);
    expectGoldenStats(torchOrder(level.centerness), centerness[i]!, { tolerance: 1e-4 }, `centerness ${i}`);
  });
});

describe.each(Object.entries(golden.training))('loss, %s', (_, run) => {
  it("gives the reference's losses and gradients", () => {
    const { model, backbone } = partsOf();
    const [batch, truth] = [goldenBatch(golden), goldenTruth(run)];
    const lossesOf = () => model.loss(batch, truth, takeFirst, inferencePass());
    const { loss_cls, loss_bbox, loss_centerness } = run.sums;
    const expected = { boxClass: loss_cls, box: loss_bbox, centerness: loss_centerness, loss: run.total };
    const found = lossesOf();
    expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
    for (const [name, value] of Object.entries(expected)) {
      expectClose(found[name]!.dataSync(), [value], { rtol: 2e-5, atol: 1e-7 }, name);
    }
    decide(model);
    const maps = goldenMaps(golden);
    expectGoldenGradients({
      parameters: model.parameters(),
      maps: Object.fromEntries(Object.keys(golden.inputs).map((name, i) => [name, maps[i]!])),
      loss: (inputs) => {
        backbone.maps = withFinest(inputs);
        return lossesOf().loss;
      },
      golden: Object.fromEntries(Object.entries(run.gradient_of_total).filter(([, stats]) => stats !== null)),
    });
  });
});

describe.each(Object.entries(golden.inference))('predict, %s', (_, expected) => {
  const { nms_pre: perLevel, max_per_img: count } = expected.test_cfg;
  const predict = (scales: tf.Tensor2D): Detections[] =>
    modelOf({ detections: { perLevel, count } }).predict(goldenBatch(golden), scales, inferencePass());

  it('finds what the reference finds', () => {
    predict(goldenScales(golden)).forEach((found, image) => {
      const { labels, scores, boxes } = expected.detections[image]!;
      expect(countDetections(found)).toBe(expected.counts[image]);
      expect([...found.labels.dataSync()].slice(0, labels.length)).toEqual(labels);
      expectClose(found.scores.dataSync().slice(0, scores.length), scores, { atol: 1e-5 }, 'scores');
      expectClose(found.boxes.dataSync().slice(0, 4 * boxes.length), boxes.flat(), { atol: 2e-2 }, 'boxes');
    });
  });

  it('finds it in pixels of the input too', () => {
    predict(tf.ones([2, 2])).forEach((found, image) => {
      const { labels, boxes } = expected.detections_no_rescale_first_5[image]!;
      expect([...found.labels.dataSync()].slice(0, labels.length)).toEqual(labels);
      expectClose(found.boxes.dataSync().slice(0, 4 * boxes.length), boxes.flat(), { atol: 2e-2 }, 'boxes');
    });
  });
});

describe('ATSS', () => {
  const { two_images: run } = golden.training as Record<'two_images', GoldenRun>;

  it('starts from rare objects', () => {
    const model = modelOf();
    model.initialize(1);
    const [bias] = model.bboxHead.atssCls.bias!.variable.dataSync();
    expectClose([1 / (1 + Math.exp(-bias!))], [0.01], { rtol: 1e-5 });
  });

  it('compiles as a whole training step, and gives what it gives eagerly', async () => {
    const model = modelOf();
    const { boxes, labels } = goldenTruth(run);
    await expectCompiledAsEager({
      compile,
      parameters: model.parameters(),
      inputs: { ...goldenBatch(golden), boxes, labels, seed: tf.tensor1d([1, 2], 'int32') },
      loss: ({ images, sizes, seed, ...truth }) =>
        model.loss({ images, sizes }, truth as TruthBatch, randomKeys(seed), inferencePass()).loss,
    });
  });

  it('sends every parameter a gradient', () => {
    const model = modelOf();
    model.initialize(1);
    const [batch, truth] = [goldenBatch(golden), goldenTruth(run)];
    const lossOf = () => model.loss(batch, truth, takeFirst, inferencePass()).loss;
    // The two coarsest levels have no positive anchors, so that nothing asks for their boxes.
    const scales = ['bbox_head.scales.3.scale', 'bbox_head.scales.4.scale'];
    expect(withoutGradient(model.parameters(), lossOf)).toEqual(scales);
  });

  it('takes crowds for background unless it is told to ignore them', () => {
    const [batch, { boxes, labels }] = [goldenBatch(golden), goldenTruth(golden.training['both_without_boxes']!)];
    const crowded = { boxes, labels, ignored: tf.tensor3d([[[0, 0, 300, 256]], [[0, 0, 0, 0]]]) };
    const lossOf = (given: TruthBatch, changes = {}) =>
      modelOf(changes).loss(batch, given, takeFirst, inferencePass()).loss.dataSync()[0]!;
    expect(lossOf(crowded)).toBe(lossOf({ boxes, labels }));
    expect(lossOf(crowded, { ignoreShare: 0.5 })).toBeLessThan(lossOf({ boxes, labels }));
  });

  it('leaves the tensor count unchanged', async () => {
    const model = modelOf();
    const [batch, scales] = [goldenBatch(golden), goldenScales(golden)];
    await expectNoLeaks(() => tf.dispose(model.predict(batch, scales, inferencePass())));
  });
});
