/** Non-maximum suppression against that of torchvision, on every engine. */
import * as tf from '@tensorflow/tfjs-core';
import { compile } from '@pyramidal/graph';
import { openRuntime } from '@pyramidal/runtime';
import { expectNoLeaks, goldenValues, readFixture, type GoldenFull } from '@pyramidal/testing';
import { type Kept, nms } from './nms';

interface GoldenNms {
  readonly boxes?: GoldenFull;
  readonly boxes_as?: string;
  readonly scores: readonly number[];
  readonly labels: readonly number[];
  readonly iou_threshold: number;
  readonly torchvision_nms_ignoring_labels: readonly number[];
  readonly classwise_ties_by_index: readonly number[];
}

interface GoldenMulticlass {
  readonly multi_bboxes: GoldenFull;
  readonly multi_scores: GoldenFull;
  readonly score_thr: number;
  readonly iou_threshold: number;
  readonly max_num: number;
  readonly kept_candidate_index: readonly number[];
}

const { batched, multiclass_nms } = readFixture(__dirname, 'nms') as {
  batched: Record<string, GoldenNms>;
  multiclass_nms: Record<string, GoldenMulticlass>;
};

function inputsOf({ boxes, boxes_as, scores, labels }: GoldenNms) {
  const full = boxes ?? batched[boxes_as!]!.boxes!;
  return {
    boxes: tf.tensor2d(goldenValues(full), [scores.length, 4]),
    scores: tf.tensor1d([...scores]),
    classes: tf.tensor1d([...labels], 'int32'),
  };
}

function rows({ indices, valid }: Kept): number[] {
  const isFilled = valid.dataSync();
  return [...indices.dataSync()].filter((_, i) => isFilled[i] === 1);
}

describe.each(['tensorflow', 'wasm', 'cpu'] as const)('suppression, %s', (engine) => {
  beforeAll(async () => {
    await openRuntime({ engine });
  });
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  it.each(Object.entries(batched))('keeps what the reference keeps: %s', (_, golden) => {
    const { boxes, scores, classes } = inputsOf(golden);
    const options = { iouThreshold: golden.iou_threshold, scoreThreshold: -0.5, maxOutputs: 200 };
    expect(rows(nms(boxes, scores, options))).toEqual(golden.torchvision_nms_ignoring_labels);
    expect(rows(nms(boxes, scores, { ...options, classes }))).toEqual(golden.classwise_ties_by_index);
  });

  it.each(Object.entries(multiclass_nms))('keeps the candidates that the reference keeps: %s', (_, golden) => {
    const { multi_bboxes, multi_scores, score_thr, iou_threshold, max_num } = golden;
    const [rois, columns] = multi_scores.shape as [number, number];
    const classes = columns - 1; // the last one is the background's
    const perRoi = tf.reshape(tf.tensor(goldenValues(multi_bboxes)), [rois, -1, 4]);
    const boxes = tf.reshape(tf.broadcastTo(perRoi, [rois, classes, 4]), [-1, 4]) as tf.Tensor2D;
    const scores = tf.slice(tf.tensor2d(goldenValues(multi_scores), [rois, columns]), [0, 0], [rois, classes]);
    const labels = tf.tile(tf.range(0, classes, 1, 'int32'), [rois]);
    const options = { iouThreshold: iou_threshold, scoreThreshold: score_thr, maxOutputs: max_num };
    const kept = nms(boxes, tf.reshape(scores, [-1]), { ...options, classes: labels });
    // The reference counts the candidates above the threshold alone.
    const candidates = [...scores.dataSync()].flatMap((score, i) => (score > Math.fround(score_thr) ? [i] : []));
    expect(rows(kept)).toEqual(golden.kept_candidate_index.map((index) => candidates[index]));
  });

  it('has a fixed number of slots and leaves out low scores', () => {
    const boxes = tf.tensor2d([[0, 0, 1, 1], [5, 5, 6, 6], [9, 9, 10, 10]]); // prettier-ignore
    const kept = nms(boxes, tf.tensor1d([0.1, 0.9, 0.5]), { iouThreshold: 0.5, scoreThreshold: 0.5, maxOutputs: 2 });
    expect([...kept.valid.dataSync()]).toEqual([1, 0]);
    expect(rows(kept)).toEqual([1]);
  });

  it('runs in a compiled step', async () => {
    const { boxes, scores, classes } = inputsOf(batched['random120']!);
    const options = { iouThreshold: 0.5, scoreThreshold: 0, maxOutputs: 100 };
    type Inputs = { boxes: tf.Tensor2D; scores: tf.Tensor1D; classes: tf.Tensor1D };
    const step = compile(({ classes, ...inputs }: Inputs) => nms(inputs.boxes, inputs.scores, { ...options, classes }));
    expect(rows(step({ boxes, scores, classes }))).toEqual(batched['random120']!.classwise_ties_by_index);
    await expectNoLeaks(() => tf.dispose(step({ boxes, scores, classes })));
    step.dispose();
  });
});
