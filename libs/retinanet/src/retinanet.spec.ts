import * as tf from '@tensorflow/tfjs-core';
import { type Detections, randomKeys, type TruthBatch, truthOfImages } from '@pyramidal/detector';
import { Fpn } from '@pyramidal/fpn';
import { Backbone, inferencePass, LEVELS } from '@pyramidal/nn';
import { compile } from '@pyramidal/graph';
import {
  countDetections,
  expectClose,
  expectCompiledAsEager,
  expectGoldenDetections,
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
  type GoldenDetection,
  type GoldenDetector,
  type GoldenFull,
  type GoldenStats,
} from '@pyramidal/testing';
import { RetinaHead } from './retina-head';
import { RETINANET, RetinaNet } from './retinanet';

interface GoldenLoss {
  readonly loss_cls: readonly number[];
  readonly loss_bbox: readonly number[];
  readonly gradient_of_total: Readonly<Record<string, GoldenStats>>;
}

const fixture = <T>(name: string): T => readFixture(__dirname, name) as T;

inEngine();

describe('RetinaHead', () => {
  const golden = fixture<
    Pick<GoldenDetector, 'state_dict' | 'overrides' | 'inputs'> & {
      metas: readonly { img_shape: [number, number] }[];
      gt_bboxes: number[][][];
      gt_labels: number[][];
      cls: GoldenStats[];
      reg: GoldenStats[];
      losses: Record<'two_images' | 'second_without_gt', GoldenLoss>;
      detections_score_thr_01: readonly { count: number; boxes_scores: GoldenFull; labels: number[] }[];
    }
  >('retina_head');
  const prefix = 'bbox_head.';

  function filledHead(): RetinaHead {
    const anchors = { ...RETINANET.anchors, strides: [8, 16, 32, 64, 128] };
    const head = new RetinaHead({ ...RETINANET, anchors, classes: 20, channels: 32, hidden: 32, padding: 32 });
    fillGoldenPart(head, prefix, golden.overrides);
    return head;
  }

  const sizes = (): tf.Tensor2D => tf.tensor2d(golden.metas.map(({ img_shape }) => img_shape));

  it('has the official parameters and gives the reference outputs', () => {
    const head = filledHead();
    const state = stateShapes(head, prefix);
    expect(state).toEqual(golden.state_dict);
    head.forward(goldenMaps(golden), inferencePass()).forEach(({ logits, deltas }, level) => {
      expectGoldenStats(torchOrder(logits), golden.cls[level]!, { tolerance: 1e-4 }, `logits ${level}`);
      expectGoldenStats(torchOrder(deltas), golden.reg[level]!, { tolerance: 1e-4 }, `deltas ${level}`);
    });
  });

  it.each(['two_images', 'second_without_gt'] as const)("gives the reference's losses and gradients: %s", (run) => {
    const head = filledHead();
    const expected = golden.losses[run];
    const labels = golden.gt_labels.map((own, image) =>
      run === 'two_images' || image === 0 ? own : own.map(() => -1),
    );
    const truth = truthOfImages(goldenTruth({ gt_bboxes: golden.gt_bboxes, gt_labels: labels }));
    const images = sizes();
    const lossesOf = (maps: tf.Tensor4D[]) => head.loss(head.forward(maps, inferencePass()), truth, images);
    const { boxClass, box } = lossesOf(goldenMaps(golden));
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    expectClose(boxClass.dataSync(), [sum(expected.loss_cls)], { rtol: 1e-5 }, 'class');
    expectClose(box.dataSync(), [sum(expected.loss_bbox)], { rtol: 1e-5 }, 'box');
    const maps = goldenMaps(golden);
    expectGoldenGradients({
      parameters: new Map([...head.parameters()].map(([name, parameter]) => [prefix + name, parameter])),
      maps: Object.fromEntries(Object.keys(golden.inputs).map((name, i) => [name, maps[i]!])),
      loss: (inputs) => {
        const losses = lossesOf(inputs);
        return tf.add(losses.boxClass, losses.box);
      },
      golden: expected.gradient_of_total,
    });
  });

  it('detects what the reference detects in two images of different size', () => {
    const head = filledHead();
    const levels = head.forward(goldenMaps(golden), inferencePass());
    const options = { ...RETINANET.detections, scoreThreshold: 0.1 };
    head.detect(levels, sizes(), tf.ones([2, 2]), options).forEach((found, image) => {
      const { count, boxes_scores, labels } = golden.detections_score_thr_01[image]!;
      expect(countDetections(found)).toBe(count);
      const rows = tf.concat([found.boxes, tf.expandDims(found.scores, 1) as tf.Tensor2D], 1);
      const first = tf.slice(rows, 0, labels.length).dataSync();
      expectClose(first, goldenValues(boxes_scores), { rtol: 1e-5, atol: 1e-3 }, `image ${image}`);
      expect([...found.labels.dataSync().slice(0, labels.length)]).toEqual(labels);
    });
  });
});

describe('RetinaNet', () => {
  const golden = fixture<
    GoldenDetector & {
      outputs: Record<
        'standard' | 'small',
        {
          test_cfg: { nms_pre: number };
          intermediate: Record<'fpn' | 'cls' | 'reg', GoldenStats[]>;
          detections: GoldenDetection[];
        }
      >;
    }
  >('retinanet_infer');

  function modelOf(perLevel: number = RETINANET.detections.perLevel): RetinaNet {
    const backbone = givenFeatures(Backbone, goldenMaps(golden));
    const levels = LEVELS.map((level) => backbone.levels[level]);
    const neck = new Fpn({ levels, channels: 32, outputs: 5, startLevel: 1, extra: 'on-input' });
    const detections = { ...RETINANET.detections, perLevel };
    const model = new RetinaNet(backbone, neck, { ...RETINANET, classes: 20, hidden: 32, detections });
    expect(stateShapes(model)).toEqual(golden.state_dict);
    fillGoldenPart(model, '', golden.overrides);
    return model;
  }

  const predict = (model: RetinaNet): Detections =>
    model.predict(goldenBatch(golden), goldenScales(golden), inferencePass())[0]!;

  it.each(['standard', 'small'] as const)('finds what the reference finds, the way it does: %s', (name) => {
    const { test_cfg, intermediate, detections } = golden.outputs[name];
    const model = modelOf(test_cfg.nms_pre);
    const maps = model.neck.forward(goldenMaps(golden));
    maps.forEach((map, i) => {
      expectGoldenStats(torchOrder(map), intermediate.fpn[i]!, { tolerance: 1e-4 }, `FPN ${i}`);
    });
    model.bboxHead.forward(maps, inferencePass()).forEach(({ logits, deltas }, i) => {
      expectGoldenStats(torchOrder(logits), intermediate.cls[i]!, { tolerance: 1e-4 }, `logits ${i}`);
      expectGoldenStats(torchOrder(deltas), intermediate.reg[i]!, { tolerance: 1e-4 }, `deltas ${i}`);
    });
    const found = predict(model);
    expect(countDetections(found)).toBe(detections.length);
    expectGoldenDetections(found, detections);
  });

  it('starts from rare objects', () => {
    const model = modelOf();
    model.initialize(1);
    const [bias] = model.bboxHead.retinaCls.bias!.variable.dataSync();
    expectClose([1 / (1 + Math.exp(-bias!))], [0.01], { rtol: 1e-5 });
  });

  const objects = () => goldenTruth({ gt_bboxes: [[[20, 30, 90, 100], [100, 10, 150, 60]]], gt_labels: [[3, 7]] }); // prettier-ignore

  it('compiles as a whole training step, and gives what it gives eagerly', async () => {
    const model = modelOf();
    await expectCompiledAsEager({
      compile,
      parameters: model.parameters(),
      inputs: { ...goldenBatch(golden), ...objects(), seed: tf.tensor1d([1, 2], 'int32') },
      loss: ({ images, sizes, seed, ...truth }) =>
        model.loss({ images, sizes }, truth as TruthBatch, randomKeys(seed), inferencePass()).loss,
    });
  });

  it('sends every parameter a gradient, without objects too one that is finite', () => {
    const model = modelOf();
    model.initialize(1);
    const [batch, truth] = [goldenBatch(golden), objects()];
    const lossOf = (given: TruthBatch) => model.loss(batch, given, takeFirst, inferencePass());
    expect(withoutGradient(model.parameters(), () => lossOf(truth).loss)).toEqual([]);
    const none = { ...truth, boxes: tf.zerosLike(truth.boxes), labels: tf.fill<tf.Rank.R2>([1, 3], -1, 'int32') };
    const towers = [...model.parameters()].filter(([name]) => /cls|neck/.test(name));
    expect(withoutGradient(new Map(towers), () => lossOf(none).loss)).toEqual([]);
    expect(lossOf(none)['box']!.dataSync()[0]).toBe(0);
  });

  it('leaves the tensor count unchanged', async () => {
    const model = modelOf();
    const [batch, scales] = [goldenBatch(golden), goldenScales(golden)];
    await expectNoLeaks(() => tf.dispose(model.predict(batch, scales, inferencePass())));
  });
});
