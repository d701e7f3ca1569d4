import * as tf from '@tensorflow/tfjs-core';
import { randomKeys, type TruthBatch, truthOfImages } from '@pyramidal/detector';
import { joinRois, RoiFeatures } from '@pyramidal/rois';
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
  goldenValues,
  inEngine,
  readFixture,
  stateShapes,
  takeFirst,
  torchOrder,
  withoutGradient,
  type GoldenDetector,
  type GoldenFull,
  type GoldenStats,
} from '@pyramidal/testing';
import { matchPredictions } from './set-loss';
import { sparseRcnn, SPARSE_RCNN, type SparseRcnn } from './sparse-rcnn';

/** Graphs have RoIAlign as an operation that rounds in another way, and ReLUs near zero turn on that: it is compared in @pyramidal/graph. */
jest.mock('@pyramidal/kernels', () => ({
  ...jest.requireActual<object>('@pyramidal/kernels'),
  ownRoiAlign: () => null,
}));

interface GoldenRun {
  readonly gt_bboxes: readonly (readonly (readonly number[])[])[];
  readonly gt_labels: readonly (readonly number[])[];
  readonly losses: Readonly<Record<string, number>>;
  readonly total: number;
  /** Stage by stage, image by image. */
  readonly gt_inds: readonly (readonly (readonly number[])[])[];
  readonly gradient_of_total: Readonly<Record<string, GoldenStats>>;
}

interface GoldenStage extends Readonly<Record<'roi_features' | 'object_features' | 'cls_score', GoldenStats>> {
  readonly boxes: GoldenFull;
}

const golden = readFixture(__dirname, 'sparse_rcnn') as GoldenDetector & {
  readonly forward: {
    readonly fpn: readonly GoldenStats[];
    readonly initial_proposals: GoldenFull;
    readonly stages: readonly GoldenStage[];
  };
  readonly training: Readonly<Record<'two_images' | 'second_without_boxes', GoldenRun>>;
  readonly inference: {
    readonly detections: readonly {
      readonly labels: number[];
      readonly scores: number[];
      readonly boxes: number[][];
    }[];
  };
};

function partsOf() {
  const backbone = givenFeatures(Backbone, goldenMaps(golden));
  const changes = { stages: 2, hidden: 128, dynamic: 16, proposals: 24, detections: { count: 24 } };
  const parts = { backbone, neckChannels: 64, classes: 20 };
  const model = sparseRcnn.create(sparseRcnn.schema.parse(changes), parts) as SparseRcnn;
  expect(stateShapes(model)).toEqual(golden.state_dict);
  fillGoldenPart(model, '', golden.overrides);
  return { model, backbone };
}

const modelOf = (): SparseRcnn => partsOf().model;

/** One ReLU has an input within rounding of zero; of maps that are larger by this much it decides as the reference does, eagerly and in graphs. */
const DECIDED = 1 + 1e-5;
const decidedMaps = (): tf.Tensor4D[] => goldenMaps(golden).map((map): tf.Tensor4D => tf.mul(map, DECIDED));

const valuesOf = (x: tf.Tensor): Float32Array => x.dataSync<'float32'>();

inEngine();

it('has the official parameters and gives the reference outputs, stage by stage', () => {
  const model = modelOf();
  const { fpn, initial_proposals, stages } = golden.forward;
  const maps = model.neck.forward(goldenMaps(golden));
  maps.forEach((map, i) => expectGoldenStats(torchOrder(map), fpn[i]!, { tolerance: 1e-4 }, `FPN ${i}`));
  const proposals = model.rpnHead.forward(goldenBatch(golden).sizes);
  expectClose(valuesOf(proposals.boxes), goldenValues(initial_proposals), { rtol: 1e-5, atol: 1e-4 }, 'proposals');
  const rois = new RoiFeatures(model.neck.strides, 2).of(
    { maps },
    joinRois(tf.unstack(proposals.boxes) as tf.Tensor2D[]),
    7,
  );
  expectGoldenStats(torchOrder(rois), stages[0]!.roi_features, { tolerance: 5e-4 }, 'RoI features');
  model.roiHead.forward(maps, proposals, inferencePass()).forEach(({ logits, boxes }, i) => {
    expectGoldenStats(valuesOf(logits), stages[i]!.cls_score, { tolerance: 5e-4 }, `logits ${i}`);
    expectClose(valuesOf(boxes), goldenValues(stages[i]!.boxes), { rtol: 5e-4, atol: 5e-4 }, `boxes ${i}`);
  });
});

describe.each(Object.entries(golden.training))('loss, %s', (_, run) => {
  const truth = () => goldenTruth(run);

  it('matches as the reference does, stage by stage', () => {
    const model = modelOf();
    const { sizes } = goldenBatch(golden);
    const maps = model.neck.forward(goldenMaps(golden));
    const found = model.roiHead.forward(maps, model.rpnHead.forward(sizes), inferencePass()).map((prediction) => {
      return matchPredictions(prediction, truthOfImages(truth()), sizes, SPARSE_RCNN).arraySync();
    });
    expect(found).toEqual(run.gt_inds);
  });

  it("gives the reference's losses and gradients", () => {
    const { model, backbone } = partsOf();
    const batch = goldenBatch(golden);
    const lossesOf = () => model.loss(batch, truth(), takeFirst, inferencePass());
    const names = { loss_cls: 'boxClass', loss_bbox: 'box', loss_iou: 'giou' };
    const found = lossesOf();
    expect(Object.keys(found)).toHaveLength(1 + 2 * 3);
    for (const stage of [0, 1]) {
      for (const [theirs, ours] of Object.entries(names)) {
        const expected = [run.losses[`stage${stage}_${theirs}`]!];
        expectClose(found[`${ours}${stage + 1}`]!.dataSync(), expected, { rtol: 2e-5 }, `${ours} ${stage}`);
      }
    }
    expectClose(found.loss.dataSync(), [run.total], { rtol: 5e-5 }, 'total');
    const maps = decidedMaps();
    expectGoldenGradients({
      parameters: model.parameters(),
      maps: Object.fromEntries(Object.keys(golden.inputs).map((name, i) => [name, maps[i]!])),
      loss: (inputs) => {
        backbone.maps = inputs;
        return lossesOf().loss;
      },
      golden: run.gradient_of_total,
    });
  });
});

describe('Sparse R-CNN', () => {
  const { two_images: run } = golden.training;

  it('finds what the reference finds', () => {
    const found = modelOf().predict(goldenBatch(golden), goldenScales(golden), inferencePass());
    found.forEach((image, i) => {
      const { labels, scores, boxes } = golden.inference.detections[i]!;
      expect(countDetections(image)).toBe(labels.length);
      expect([...image.labels.dataSync()]).toEqual(labels);
      expectClose(image.scores.dataSync(), scores, { atol: 1e-4 }, 'scores');
      expectClose(image.boxes.dataSync(), boxes.flat(), { atol: 2e-2 }, 'boxes');
    });
  });

  it('compiles as a whole training step, and gives what it gives eagerly', async () => {
    const { model, backbone } = partsOf();
    backbone.maps = decidedMaps();
    const { boxes, labels } = goldenTruth(run);
    await expectCompiledAsEager({
      compile,
      parameters: model.parameters(),
      inputs: { ...goldenBatch(golden), boxes, labels, seed: tf.tensor1d([1, 2], 'int32') },
      loss: ({ images, sizes, seed, ...truth }) =>
        model.loss({ images, sizes }, truth as TruthBatch, randomKeys(seed), inferencePass()).loss,
    });
  });

  it('starts from proposals as large as the image, and from rare objects', () => {
    const model = modelOf();
    model.initialize(1);
    const { boxes } = model.rpnHead.forward(goldenBatch(golden).sizes);
    const whole = golden.metas.map(({ img_shape: [height, width] }) => Array(24).fill([0, 0, width, height]));
    expect(boxes.arraySync()).toEqual(whole);
    const [bias] = model.roiHead.bboxHead[0]!.fcCls.bias!.variable.dataSync();
    expectClose([1 / (1 + Math.exp(-bias!))], [0.01], { rtol: 1e-5 });
  });

  it('sends every parameter a gradient; without objects, all of boxes is zero and finite', () => {
    const model = modelOf();
    model.initialize(1);
    const [batch, truth] = [goldenBatch(golden), goldenTruth(run)];
    const lossOf = (given: TruthBatch) => model.loss(batch, given, takeFirst, inferencePass());
    // Proposals as large as the image are read from coarse maps alone, those that stages move from others too.
    const unread = withoutGradient(model.parameters(), () => lossOf(truth).loss);
    expect(unread.filter((name) => !name.startsWith('neck.fpn_convs.'))).toEqual([]);
    const none = { ...truth, labels: tf.fill<tf.Rank.R2>(truth.labels.shape, -1, 'int32') };
    const silent = withoutGradient(model.parameters(), () => lossOf(none).loss);
    expect(silent.filter((name) => !/reg|bboxes|fpn_convs/.test(name))).toEqual([]);
    expect(lossOf(none)['giou2']!.dataSync()[0]).toBe(0);
  });

  it('leaves the tensor count unchanged', async () => {
    const model = modelOf();
    const [batch, scales] = [goldenBatch(golden), goldenScales(golden)];
    await expectNoLeaks(() => tf.dispose(model.predict(batch, scales, inferencePass())));
  });
});
