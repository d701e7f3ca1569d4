import * as tf from '@tensorflow/tfjs-core';
import { clipBoxes } from '@pyramidal/boxes';
import { randomKeys, type TruthBatch } from '@pyramidal/detector';
import { RoiFeatures } from '@pyramidal/rois';
import { Fpn } from '@pyramidal/fpn';
import { Backbone, ForwardPass, inferencePass, LEVELS } from '@pyramidal/nn';
import { compile } from '@pyramidal/graph';
import {
  countDetections,
  decodeRuns,
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
  type GoldenTraining,
} from '@pyramidal/testing';
import type { BoxHead } from './box-head';
import { CASCADE_BOX_HEADS, CASCADE_MASK_RCNN, cascadeStages } from './cascade-rcnn';
import { FASTER_RCNN } from './faster-rcnn';
import type { MaskHead } from './mask-head';
import { pasteMask } from './mask-paste';
import { MASK_BRANCH, MASK_RCNN } from './mask-rcnn';
import type { RoiStageOptions } from './roi-head';
import type { RoiSampling } from './roi-targets';
import { TwoStageDetector, type TwoStageOptions, type TwoStageSettings } from './two-stage-detector';

/** Graphs have RoIAlign as an operation that rounds in another way, and ReLUs near zero turn on that: it is compared in @pyramidal/graph. */
jest.mock('@pyramidal/kernels', () => ({
  ...jest.requireActual<object>('@pyramidal/kernels'),
  ownRoiAlign: () => null,
}));

interface GoldenIntermediate {
  readonly fpn: readonly GoldenStats[];
  readonly rpn_cls: readonly GoldenStats[];
  readonly rpn_reg: readonly GoldenStats[];
  readonly proposals: { readonly count: number; readonly first: GoldenFull; readonly stats: GoldenStats };
}

interface GoldenHeads {
  readonly cls_score: GoldenStats;
  readonly bbox_pred: GoldenStats;
}

interface GoldenSingle extends GoldenIntermediate, GoldenHeads {
  readonly roi_feats: GoldenStats;
  readonly mask_pred_logits: GoldenStats;
}

interface GoldenCascade extends GoldenIntermediate {
  readonly stages: readonly (GoldenHeads & { readonly rois: GoldenStats })[];
}

interface GoldenRun<I> {
  readonly test_cfg: { readonly rpn: { readonly nms_pre: number; readonly max_per_img: number } };
  readonly intermediate: I;
  readonly detections: readonly GoldenDetection[];
  readonly detections_no_rescale: readonly GoldenDetection[];
  readonly mask_rle?: readonly string[];
}

const fixture = <T>(name: string): T => readFixture(__dirname, name) as T;

/** What the golden models have in common, smaller than the published ones. */
const SMALL = {
  classes: 20,
  mask: { ...MASK_BRANCH, hidden: 32, targetSampling: 'adaptive' },
  sampling: 'adaptive',
} as const;

type Changes = Partial<
  Pick<TwoStageOptions, 'rpn' | 'mask' | 'sampling' | 'trainProposals' | 'testProposals'> & Pick<RoiSampling, 'sample'>
>;
type Create = (backbone: Backbone, neck: Fpn, changes: Changes) => TwoStageDetector;

const SAMPLE = { count: 64, positiveShare: 0.25 };

/** Stages with narrow heads and few samples. */
const smallStages = (stages: TwoStageSettings['stages'], sample: RoiSampling['sample']): RoiStageOptions[] =>
  stages.map(({ rois, box, weight }) => ({ rois: { ...rois, sample }, box: { ...box, hidden: 64 }, weight }));

const createMaskRcnn: Create = (backbone, neck, { sample = SAMPLE, ...changes }) => {
  const stages = smallStages(MASK_RCNN.stages, sample);
  return new TwoStageDetector(backbone, neck, { ...MASK_RCNN, ...SMALL, stages, ...changes });
};

/** Mask R-CNN without its mask branch, whose losses and boxes are the same. */
const createFasterRcnn: Create = (backbone, neck, { sample = SAMPLE, mask: _mask, ...changes }) => {
  const { mask: _smallMask, ...small } = SMALL;
  const stages = smallStages(FASTER_RCNN.stages, sample);
  return new TwoStageDetector(backbone, neck, { ...FASTER_RCNN, ...small, stages, ...changes });
};

const createCascade =
  (box: keyof typeof CASCADE_BOX_HEADS): Create =>
  (backbone, neck, { sample = SAMPLE, ...changes }) => {
    const stages = smallStages(cascadeStages(CASCADE_BOX_HEADS[box]), sample);
    return new TwoStageDetector(backbone, neck, { ...CASCADE_MASK_RCNN, ...SMALL, stages, ...changes });
  };

function partsOf(golden: GoldenDetector, create: Create, changes: Changes = {}) {
  const backbone = givenFeatures(Backbone, goldenMaps(golden));
  const neck = new Fpn({ levels: LEVELS.map((level) => backbone.levels[level]), channels: 32, outputs: 5 });
  const model = create(backbone, neck, changes);
  const names = golden.state_dict.filter(([name]) => model.predictsMasks || !isOfMasks(name));
  expect(stateShapes(model)).toEqual(names);
  fillGoldenPart(model, '', golden.overrides);
  return { model, backbone };
}

const modelOf = (...parts: Parameters<typeof partsOf>): TwoStageDetector => partsOf(...parts).model;

const isOfMasks = (name: string): boolean => name.includes('mask');

const areaOn =
  ([height, width]: readonly [number, number]) =>
  (mask: Float32Array, box: readonly number[]): number =>
    pasteMask(mask, box, { height, width }).data.reduce((sum, pixel) => sum + pixel, 0);

/** Asserts what neck and RPN say; returns the maps and the proposals, without rows that are none. */
function expectProposals(model: TwoStageDetector, golden: GoldenDetector, run: GoldenRun<GoldenIntermediate>) {
  const { fpn, rpn_cls, rpn_reg, proposals: expected } = run.intermediate;
  const maps = model.neck.forward(goldenMaps(golden));
  maps.forEach((map, i) => expectGoldenStats(torchOrder(map), fpn[i]!, { tolerance: 1e-4 }, `FPN ${i}`));
  const levels = model.rpnHead.forward(maps);
  levels.forEach(({ objectness, deltas }, i) => {
    expectGoldenStats(torchOrder(objectness), rpn_cls[i]!, { tolerance: 1e-4 }, `objectness ${i}`);
    expectGoldenStats(torchOrder(deltas), rpn_reg[i]!, { tolerance: 1e-4 }, `deltas ${i}`);
  });
  const { nms_pre: perLevel, max_per_img: count } = run.test_cfg.rpn;
  const [found] = model.rpnHead.propose(levels, goldenBatch(golden).sizes, { perLevel, count, iouThreshold: 0.7 });
  expect(countDetections(found!)).toBe(expected.count);
  const boxes = tf.slice(found!.boxes, 0, expected.count);
  const scored = tf.concat([boxes, tf.expandDims(tf.slice(found!.scores, 0, expected.count), 1) as tf.Tensor2D], 1);
  const rows = scored.dataSync<'float32'>();
  const first = goldenValues(expected.first);
  expectClose(rows.slice(0, first.length), first, { rtol: 1e-4, atol: 1e-3 }, 'first proposals');
  expectGoldenStats(rows, expected.stats, { tolerance: 1e-4 }, 'proposals');
  return { maps, boxes };
}

/** RoI features of one image's boxes, read adaptively. */
function featuresOf({ neck }: TwoStageDetector, maps: tf.Tensor4D[], boxes: tf.Tensor2D, side: number): tf.Tensor4D {
  const rois = { boxes, images: tf.zeros<tf.Rank.R1>([boxes.shape[0]], 'int32') };
  return new RoiFeatures(neck.strides, 'adaptive').of({ maps }, rois, side);
}

inEngine();

describe('Mask R-CNN, predict', () => {
  const golden = fixture<GoldenDetector & { outputs: Record<'standard' | 'small', GoldenRun<GoldenSingle>> }>(
    'mask_rcnn_infer',
  );
  const [{ ori_shape }] = golden.metas as [GoldenDetector['metas'][number]];
  const proposalsOf = ({ test_cfg: { rpn } }: GoldenRun<GoldenSingle>): Changes => {
    return { testProposals: { perLevel: rpn.nms_pre, count: rpn.max_per_img, iouThreshold: 0.7 } };
  };

  it.each(['standard', 'small'] as const)('finds what the reference finds: %s', (name) => {
    const { detections, detections_no_rescale } = golden.outputs[name];
    const model = modelOf(golden, createMaskRcnn, proposalsOf(golden.outputs[name]));
    const [found] = model.predict(goldenBatch(golden), goldenScales(golden), inferencePass());
    expect(countDetections(found!)).toBe(detections.length);
    expectGoldenDetections(found!, detections, areaOn(ori_shape));
    const [unscaled] = model.predict(goldenBatch(golden), tf.ones([1, 2]), inferencePass());
    expectGoldenDetections(unscaled!, detections_no_rescale);
  });

  it.each(['standard', 'small'] as const)('comes to it the way the reference does: %s', (name) => {
    const run = golden.outputs[name];
    const { roi_feats, cls_score, bbox_pred, mask_pred_logits } = run.intermediate;
    const model = modelOf(golden, createMaskRcnn, proposalsOf(run));
    const { maps, boxes } = expectProposals(model, golden, run);
    const features = featuresOf(model, maps, boxes, 7);
    expectGoldenStats(torchOrder(features), roi_feats, { tolerance: 1e-4 }, 'RoI features');
    const { logits, deltas } = (model.roiHead.bboxHead as BoxHead).forward(features, inferencePass());
    expectGoldenStats(logits.dataSync<'float32'>(), cls_score, { tolerance: 1e-4 }, 'logits');
    expectGoldenStats(deltas.dataSync<'float32'>(), bbox_pred, { tolerance: 1e-4 }, 'deltas');
    const [y, x] = [...goldenScales(golden).dataSync()] as [number, number];
    const found = tf.mul<tf.Tensor2D>(tf.tensor2d(run.detections.map(({ box }) => [...box])), [[x, y, x, y]]);
    const masks = (model.roiHead.maskHead as MaskHead).forward(featuresOf(model, maps, found, 14), inferencePass());
    expectGoldenStats(torchOrder(masks), mask_pred_logits, { tolerance: 1e-4 }, 'mask logits');
  });

  it.each(['standard', 'small'] as const)('finds the same boxes without a mask branch: %s', (name) => {
    const { detections } = golden.outputs[name];
    const model = modelOf(golden, createFasterRcnn, proposalsOf(golden.outputs[name]));
    const [found] = model.predict(goldenBatch(golden), goldenScales(golden), inferencePass());
    expect(Object.keys(found!)).not.toContain('masks');
    expect(countDetections(found!)).toBe(detections.length);
    expectGoldenDetections(found!, detections);
  });

  it("puts masks where the reference's run lengths are", () => {
    const { detections, mask_rle } = golden.outputs.small;
    const model = modelOf(golden, createMaskRcnn, proposalsOf(golden.outputs.small));
    const [found] = model.predict(goldenBatch(golden), goldenScales(golden), inferencePass());
    const [height, width] = ori_shape;
    tf.unstack(found!.masks!).slice(0, detections.length).forEach((mask, i) => {
      const { data } = pasteMask(mask.dataSync(), detections[i]!.box, { height, width });
      const reference = decodeRuns(runsOfText(mask_rle![i]!), height, width);
      const different = data.reduce((count, pixel, at) => count + Number(pixel !== reference[at]), 0);
      expect([i, different <= 3]).toEqual([i, true]);
    }); // prettier-ignore
  });

  it('finds what the reference finds in two images of a batch', () => {
    const double = fixture<GoldenDetector & { outputs: { detections: GoldenDetection[][] } }>('mask_rcnn_infer_batch2');
    const model = modelOf(double, createMaskRcnn);
    const found = model.predict(goldenBatch(double), goldenScales(double), inferencePass());
    found.forEach((image, i) => {
      const expected = double.outputs.detections[i]!;
      expect(countDetections(image)).toBe(expected.length);
      expectGoldenDetections(image, expected, areaOn(double.metas[i]!.ori_shape));
    });
  });
});

/** COCO's compressed runs: five bits a character, differences to the run before last from the third on. */
function runsOfText(text: string): number[] {
  const runs: number[] = [];
  for (let at = 0; at < text.length;) {
    let [value, shift, more] = [0, 0, true];
    while (more) {
      const bits = text.charCodeAt(at++) - 48;
      value |= (bits & 31) << shift;
      shift += 5;
      more = (bits & 32) !== 0;
      if (!more && (bits & 16) !== 0) value |= -1 << shift;
    }
    runs.push(runs.length > 2 ? value + runs.at(-2)! : value);
  }
  return runs;
}

describe.each([
  ['r50', createCascade('shared2fc')],
  ['coat', createCascade('conv4fc1')],
])('Cascade Mask R-CNN, predict, %s', (name, create) => {
  const golden = fixture<GoldenDetector & Pick<GoldenRun<never>, 'test_cfg'> & { outputs: GoldenRun<GoldenCascade> }>(
    `cascade_mask_rcnn_infer_${name}`,
  );

  it('finds what the reference finds, stage by stage', () => {
    const { outputs, test_cfg, metas } = golden;
    const model = modelOf(golden, create);
    const { boxes } = expectProposals(model, golden, { ...outputs, test_cfg });
    const { batch, rows } = { batch: goldenBatch(golden), rows: boxes.shape[0] };
    const stages = watchStages(model.roiHead.bboxHead as BoxHead[], rows, tf.tensor1d([...metas[0]!.img_shape]));
    const [found] = model.predict(batch, goldenScales(golden), inferencePass());
    stages.forEach(({ logits, deltas, next }, i) => {
      const { cls_score, bbox_pred } = outputs.intermediate.stages[i]!;
      expectGoldenStats(logits!, cls_score, { tolerance: 1e-4 }, `logits of stage ${i}`);
      expectGoldenStats(deltas!, bbox_pred, { tolerance: 1e-4 }, `deltas of stage ${i}`);
      const after = outputs.intermediate.stages[i + 1];
      if (after !== undefined) expectGoldenStats(next!, after.rois, { tolerance: 1e-4 }, `RoIs after stage ${i}`);
    });
    expect(countDetections(found!)).toBe(outputs.detections.length);
    expectGoldenDetections(found!, outputs.detections, areaOn(metas[0]!.ori_shape));
  });

  it('leaves the tensor count unchanged', async () => {
    const model = modelOf(golden, create);
    const [batch, scales] = [goldenBatch(golden), goldenScales(golden)];
    await expectNoLeaks(() => tf.dispose(model.predict(batch, scales, inferencePass())));
  });
});

type WatchedStage = Partial<Record<'logits' | 'deltas' | 'next', Float32Array>>;

/** Notes what every stage's head says of its first rows and, clipped to the image, where it moves them. */
function watchStages(heads: readonly BoxHead[], rows: number, size: tf.Tensor1D): WatchedStage[] {
  return heads.map((head) => {
    const seen: WatchedStage = {};
    const read = (values: tf.Tensor): Float32Array => tf.slice(values, 0, rows).dataSync<'float32'>();
    const [forward, move] = [head.forward.bind(head), head.move.bind(head)];
    head.forward = (...inputs) => {
      const output = forward(...inputs);
      [seen.logits, seen.deltas] = [read(output.logits), read(output.deltas)];
      return output;
    };
    head.move = (...inputs) => {
      const moved = move(...inputs);
      seen.next = read(clipBoxes(moved, size));
      return moved;
    };
    return seen;
  });
}

/** The reference's names of losses in ours; its stages count from 0. */
const LOSS_NAMES: Readonly<Record<string, string>> = {
  loss_rpn_cls: 'rpnObjectness',
  loss_rpn_bbox: 'rpnBox',
  loss_cls: 'boxClass',
  loss_bbox: 'box',
  loss_mask: 'mask',
  acc: 'accuracy',
};

/**
 * All other channels of these 32 agree to 1e-6. Of the last box head's first convolution, one output of channel 1 is -2.7e-6 where they
 * are 0.85 in the mean, and its sign changes with the processor.
 */
const UNDECIDED = {
  'roi_head.mask_head.0.upsample.bias': 20,
  'roi_head.mask_head.1.upsample.bias': 10,
  'roi_head.bbox_head.2.shared_convs.0.conv.weight': 1,
  'roi_head.bbox_head.2.shared_convs.0.bn.bias': 1,
};

function nameOfLoss(reference: string): string {
  const [, stage, name] = /^(?:s(\d)\.)?(.*)$/.exec(reference)!;
  return LOSS_NAMES[name!]! + (stage === undefined ? '' : `${Number(stage) + 1}`);
}

describe.each([
  ['Faster R-CNN', 'mask_rcnn_train', createFasterRcnn],
  ['Mask R-CNN', 'mask_rcnn_train', createMaskRcnn],
  ['Cascade Mask R-CNN, r50', 'cascade_r50_train', createCascade('shared2fc')],
  ['Cascade Mask R-CNN, coat', 'cascade_coat_train', createCascade('conv4fc1')],
])('%s, loss', (_, file, create) => {
  const golden = fixture<GoldenTraining>(file);
  const frozen = (): ForwardPass => new ForwardPass({ mode: 'train', batchNorm: 'running' });
  /** Reads nothing back, so that it compiles; few RoIs, so that no ReLU has an input within rounding of zero. */
  const fixed: Changes = {
    sample: { count: 16, positiveShare: 0.25 },
    sampling: 2,
    mask: { ...SMALL.mask, targetSampling: 2 },
    trainProposals: { perLevel: 200, count: 100, iouThreshold: 0.7 },
  };

  it("gives the reference's losses; crowds have no effect", () => {
    const model = modelOf(golden, create);
    const truth = { ...goldenTruth(golden), ignored: tf.tensor3d([[[10, 10, 150, 120]], [[0, 0, 0, 0]]]) };
    const losses = model.loss(goldenBatch(golden), truth, takeFirst, frozen());
    const all = Object.entries(golden.losses).map(([name, values]): [string, number] => {
      return [nameOfLoss(name), values.reduce((sum, value) => sum + value, 0)];
    });
    const expected = all.filter(([name]) => model.predictsMasks || !isOfMasks(name));
    const left = all.filter((entry) => !expected.includes(entry)).reduce((sum, [, value]) => sum + value, 0);
    expect(Object.keys(losses).sort()).toEqual(['loss', ...expected.map(([name]) => name)].sort());
    for (const [name, value] of [['loss', golden.total - left] as const, ...expected]) {
      expectClose(losses[name]!.dataSync(), [value], { rtol: 1e-5, atol: 1e-5 }, name);
    }
  });

  it("gives the reference's gradients", () => {
    const { model, backbone } = partsOf(golden, create);
    const names = Object.keys(golden.inputs);
    const [batch, truth] = [goldenBatch(golden), goldenTruth(golden)];
    const { gradient_of_total: gradients } = golden;
    // Without a mask branch, what lies below the heads has a smaller gradient than the reference's.
    const ofHeads = Object.entries(gradients).filter(([name]) => /^(rpn_head|roi_head\.bbox_head)\./.test(name));
    expectGoldenGradients({
      parameters: model.parameters(),
      maps: Object.fromEntries(backbone.maps.map((map, i) => [names[i]!, map])),
      loss: (maps) => {
        backbone.maps = maps;
        return model.loss(batch, truth, takeFirst, frozen()).loss;
      },
      golden: model.predictsMasks ? gradients : Object.fromEntries(ofHeads),
      undecided: UNDECIDED,
    });
  });

  it('compiles as a whole training step, and gives what it gives eagerly', async () => {
    const model = modelOf(golden, create, fixed);
    const truth = goldenTruth(golden);
    const hasMask = tf.onesLike(truth.labels);
    const inputs = { ...goldenBatch(golden), ...truth, hasMask, seed: tf.tensor1d([1, 2], 'int32') };
    await expectCompiledAsEager({
      compile,
      parameters: model.parameters(),
      inputs,
      loss: ({ images, sizes, seed, ...truth }) =>
        model.loss({ images, sizes }, truth as TruthBatch, randomKeys(seed), frozen()).loss,
    });
  });

  it('sends every parameter a gradient', () => {
    // Anchors may leave the image, so that coarse levels of so small a one have some.
    const model = modelOf(golden, create, { ...fixed, rpn: { ...CASCADE_MASK_RCNN.rpn, allowedBorder: -1 } });
    model.initialize(1);
    const seed = tf.tensor1d([1, 2], 'int32');
    const pass = new ForwardPass({ mode: 'train', seed });
    const [batch, truth] = [goldenBatch(golden), goldenTruth(golden)];
    const silent = withoutGradient(model.parameters(), () => model.loss(batch, truth, randomKeys(seed), pass).loss);
    expect(silent).toEqual([]);
  });

  it('needs no masks unless it predicts them', () => {
    const model = modelOf(golden, create, fixed);
    const { masks: _masks, regions: _regions, ...boxes } = goldenTruth(golden);
    const run = () => model.loss(goldenBatch(golden), boxes, takeFirst, frozen());
    if (model.predictsMasks) expect(run).toThrow(/expected masks and their regions/);
    else expect(Object.keys(run())).toEqual(['loss', 'rpnObjectness', 'rpnBox', 'boxClass', 'box', 'accuracy']);
  });

  it('stays finite, with a gradient path, for images without objects', () => {
    const model = modelOf(golden, create, fixed);
    const truth = goldenTruth(golden);
    const none = {
      ...truth,
      boxes: tf.zerosLike(truth.boxes),
      labels: tf.fill<tf.Rank.R2>(truth.labels.shape, -1, 'int32'),
    };
    const variables = [...model.parameters().values()].map(({ variable }) => variable);
    const lossesOf = () => model.loss(goldenBatch(golden), none, takeFirst, frozen());
    const { value, grads } = tf.variableGrads(() => lossesOf().loss, variables);
    expect(Number.isFinite(value.dataSync()[0])).toBe(true);
    for (const { name } of variables) expect(tf.all(tf.isFinite(grads[name]!)).dataSync()[0]).toBe(1);
    for (const [name, loss] of Object.entries(lossesOf())) {
      if (/^(rpnBox|box\d?|mask\d?)$/.test(name)) expect([name, loss.dataSync()[0]]).toEqual([name, 0]);
    }
  });
});

describe('objects without a mask', () => {
  const golden = fixture<GoldenTraining>('mask_rcnn_train');
  const frozen = (): ForwardPass => new ForwardPass({ mode: 'train', batchNorm: 'running' });
  /** Ground truth in which only objects of these rows have a mask; the other masks are noise. */
  const withMasksOf = (rows: readonly number[]) => {
    const truth = goldenTruth(golden);
    const flags = tf.tensor1d(Array.from({ length: truth.labels.shape[1] }, (_, row) => Number(rows.includes(row))));
    const hasMask = tf.tile(tf.expandDims(tf.cast(flags, 'int32'), 0) as tf.Tensor2D, [truth.labels.shape[0], 1]);
    const known = tf.reshape(tf.cast(hasMask, 'float32'), [...hasMask.shape, 1, 1]);
    const noise = tf.cast(tf.greater(tf.randomUniform(truth.masks.shape, 0, 1, 'float32', 5), 0.5), 'float32');
    const masks = tf.add<tf.Tensor4D>(tf.mul(truth.masks, known), tf.mul(noise, tf.sub(1, known)));
    return { ...truth, masks, hasMask };
  };
  const maskLossOf = (model: TwoStageDetector, truth: TruthBatch): number =>
    model.loss(goldenBatch(golden), truth, takeFirst, frozen())['mask']!.dataSync()[0]!;

  it('have no part in the mask loss, which is the mean over the others', () => {
    const model = modelOf(golden, createMaskRcnn);
    const [first, all] = [maskLossOf(model, withMasksOf([0])), maskLossOf(model, goldenTruth(golden))];
    expect(first).not.toBeCloseTo(all, 4);
    const noisy = withMasksOf([0]);
    expect(maskLossOf(model, { ...noisy, masks: tf.zerosLike(noisy.masks) })).not.toBeCloseTo(first, 4);
    const clean = { ...goldenTruth(golden), hasMask: noisy.hasMask };
    expect(maskLossOf(model, clean)).toBe(first);
    const everyRow = withMasksOf([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(maskLossOf(model, everyRow)).toBe(all);
  });

  it('give a mask loss of zero, with a gradient path, where they are all', () => {
    const model = modelOf(golden, createMaskRcnn);
    const variables = [...model.parameters()].map(([, { variable }]) => variable);
    const { value, grads } = tf.variableGrads(
      () => model.loss(goldenBatch(golden), withMasksOf([]), takeFirst, frozen())['mask']!,
      variables,
    );
    expect(value.dataSync()[0]).toBe(0);
    for (const [name, { variable }] of model.parameters()) {
      if (isOfMasks(name)) expect([name, tf.max(tf.abs(grads[variable.name]!)).dataSync()[0]]).toEqual([name, 0]);
    }
  });
});
