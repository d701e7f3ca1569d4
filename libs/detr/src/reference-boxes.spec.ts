/** Inverse sigmoids and formats of boxes against Deformable DETR's and detrex's (fixtures/detr_units.json, dino_units.json). */
import * as tf from '@tensorflow/tfjs-core';
import { generalizedIou, toCentres, toCorners } from '@pyramidal/boxes';
import { focalLoss, giouLoss } from '@pyramidal/losses';
import { expectClose, goldenValues, inEngine, readFixture, type GoldenFull } from '@pyramidal/testing';
import { DEFORMABLE_DETR } from './deformable-detr';
import { DINO } from './dino';
import { boxesFrom, inverseSigmoid } from './reference-boxes';

interface Slopes {
  readonly y: GoldenFull;
  readonly grad: GoldenFull;
}

const read = <T>(name: string): T => readFixture(__dirname, name) as T;
const units = read<{
  inverse_sigmoid: { x: GoldenFull; eps_1e_5: Slopes; eps_1e_3: Slopes };
  boxes: Record<'a_xyxy' | 'b_xyxy' | 'giou' | 'cxcywh' | 'to_xyxy' | 'back', GoldenFull>;
  giou_loss_paired: Record<'pred_cxcywh' | 'target_cxcywh' | 'loss' | 'grad_of_sum_to_pred', GoldenFull>;
  focal: { logits: GoldenFull; targets: GoldenFull; num_boxes: number; loss: number; grad: GoldenFull };
}>('detr_units');
const dinoUnits = read<{
  giou: Record<'a' | 'b' | 'giou', GoldenFull>;
  inverse_sigmoid_1e_3: Slopes & { x: GoldenFull };
}>('dino_units');

const given = ({ shape, data }: GoldenFull): tf.Tensor => tf.tensor(goldenValues({ shape, data }), [...shape]);

inEngine();

describe('inverseSigmoid', () => {
  const { x, eps_1e_5, eps_1e_3 } = units.inverse_sigmoid;
  const { inverse_sigmoid_1e_3: detrex } = dinoUnits;

  it.each([
    ['1e-5', x, eps_1e_5, 1e-5],
    ['1e-3', x, eps_1e_3, 1e-3],
    ['1e-3 in detrex', detrex.x, detrex, 1e-3],
  ])('gives the official numbers and gradients with epsilon %s', (_, input, golden, epsilon) => {
    const values = goldenValues(input);
    expectClose(inverseSigmoid(given(input), epsilon).dataSync(), goldenValues(golden.y), { rtol: 1e-5, atol: 1e-6 });
    // At the corners of the function PyTorch's versions differ.
    const isCorner = values.map((value) => [0, 1, epsilon, 1 - epsilon].some((at) => Math.abs(value - at) < 1e-7));
    const gradient = tf
      .grad((input: tf.Tensor) => inverseSigmoid(input, epsilon))(given(input))
      .dataSync();
    const smooth = (list: ArrayLike<number>) => Array.from(list).filter((__, i) => !isCorner[i]);
    expectClose(smooth(gradient), smooth(goldenValues(golden.grad)), { rtol: 1e-4, atol: 1e-5 }, 'gradient');
  });
});

it('boxes stay at their references where nothing moves them', () => {
  const references = tf.tensor3d([0.2, 0.4, 0.6, 0.1], [1, 1, 4]);
  expectClose(boxesFrom(references, tf.zeros([1, 1, 4]), 1e-5).dataSync(), [0.2, 0.4, 0.6, 0.1], { atol: 1e-6 });
  const places = tf.slice(references, [0, 0, 0], [1, 1, 2]) as tf.Tensor3D;
  expectClose(boxesFrom(places, tf.zeros([1, 1, 4]), 1e-5).dataSync(), [0.2, 0.4, 0.5, 0.5], { atol: 1e-6 });
});

it('formats turn into each other', () => {
  const { cxcywh, to_xyxy, back } = units.boxes;
  expectClose(toCorners(given(cxcywh)).dataSync(), goldenValues(to_xyxy), { atol: 1e-6 });
  expectClose(toCentres(given(to_xyxy)).dataSync(), goldenValues(back), { atol: 1e-6 });
});

describe('GIoU', () => {
  it.each([
    ['Deformable DETR', units.boxes.a_xyxy, units.boxes.b_xyxy, units.boxes.giou, DEFORMABLE_DETR.giou],
    ['detrex', dinoUnits.giou.a, dinoUnits.giou.b, dinoUnits.giou.giou, DINO.giou],
  ])("is %s's, and a number where that has none", (_, a, b, golden, options) => {
    const found = generalizedIou(tf.expandDims(given(a), 1), tf.expandDims(given(b), 0), options).dataSync();
    const expected = goldenValues(golden);
    expectClose(found.map((value, i) => (Number.isNaN(expected[i]) ? 0 : value)), expected.map((value) => value || 0), { atol: 1e-5 }); // prettier-ignore
    expect([...found].every(Number.isFinite)).toBe(true);
  });

  it('sends the official gradient', () => {
    const { pred_cxcywh, target_cxcywh, loss, grad_of_sum_to_pred } = units.giou_loss_paired;
    const lossOf = (boxes: tf.Tensor): tf.Tensor =>
      giouLoss(toCorners(boxes as tf.Tensor2D), toCorners(given(target_cxcywh) as tf.Tensor2D), DEFORMABLE_DETR.giou);
    expectClose(lossOf(given(pred_cxcywh)).dataSync(), goldenValues(loss), { atol: 1e-5 });
    const gradient = tf.grad(lossOf)(given(pred_cxcywh));
    expectClose(gradient.dataSync(), goldenValues(grad_of_sum_to_pred), { rtol: 1e-4, atol: 1e-5 }, 'gradient');
  });
});

it('the focal loss is the official one', () => {
  const { logits, targets, num_boxes, loss, grad } = units.focal;
  const lossOf = (x: tf.Tensor): tf.Tensor =>
    tf.div(tf.sum(focalLoss(x, given(targets), DEFORMABLE_DETR.focal)), num_boxes);
  expectClose(lossOf(given(logits)).dataSync(), [loss], { rtol: 1e-5 });
  expectClose(tf.grad(lossOf)(given(logits)).dataSync(), goldenValues(grad), { rtol: 1e-4, atol: 1e-6 }, 'gradient');
});
