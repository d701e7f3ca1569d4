/** Reference numbers of whole detectors: inputs, detections, losses and gradients. */
import * as tf from '@tensorflow/tfjs-core';
import { expectClose } from './closeness';
import { expectGoldenStats, goldenMap, nhwcToNchw, type GoldenOverrides, type GoldenStats } from './golden-heads';
import { expectNoLeaks } from './leaks';

export interface GoldenDetection {
  readonly label: number;
  readonly box: readonly number[];
  readonly score: number;
  readonly mask_area?: number;
}

interface GoldenMeta {
  readonly img_shape: readonly [number, number];
  readonly ori_shape: readonly [number, number];
  readonly scale_factor: readonly [number, number, number, number];
}

/** A whole detector behind given features. */
export interface GoldenDetector {
  /** Height and width; default 128 x 192. */
  readonly canvas?: readonly [number, number];
  readonly metas: readonly GoldenMeta[];
  readonly state_dict: readonly (readonly [string, readonly number[]])[];
  readonly overrides: GoldenOverrides;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
}

/** Losses and gradients of one batch, whose masks are ellipses in their boxes. */
export interface GoldenTraining extends GoldenDetector {
  readonly gt_bboxes: readonly (readonly (readonly number[])[])[];
  readonly gt_labels: readonly (readonly number[])[];
  readonly losses: Readonly<Record<string, readonly number[]>>;
  readonly total: number;
  readonly gradient_of_total: Readonly<Record<string, GoldenStats>>;
}

type Level = 'C2' | 'C3' | 'C4' | 'C5';
const CANVAS = [128, 192] as const;
const [CANVAS_HEIGHT, CANVAS_WIDTH] = CANVAS;

type LevelSpecs = Readonly<Record<Level, { readonly stride: number; readonly channels: number }>>;

/** What stands in for a backbone. */
export interface GivenFeatures {
  /** float32 [N, H, W, C] of C2 to C5; a test may put others here. */
  maps: readonly tf.Tensor4D[];
  readonly levels: LevelSpecs;
}

/**
 * A backbone without parameters that hands out features which are given.
 * @param Backbone the class of `@pyramidal/nn`, which this library is below of.
 */
export function givenFeatures<B extends object>(
  Backbone: abstract new () => B,
  maps: readonly tf.Tensor4D[],
  [C2, C3, C4, C5]: readonly [number, number, number, number] = [16, 32, 64, 128],
): B & GivenFeatures {
  const backbone: B = Object.create(Backbone.prototype);
  const levels: LevelSpecs = {
    C2: { stride: 4, channels: C2 },
    C3: { stride: 8, channels: C3 },
    C4: { stride: 16, channels: C4 },
    C5: { stride: 32, channels: C5 },
  };
  const given = Object.assign(backbone, { maps, levels });
  const forward = (): Record<Level, tf.Tensor4D> => {
    const [C2, C3, C4, C5] = given.maps as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    return { C2, C3, C4, C5 };
  };
  return Object.assign(given, { forward });
}

/** The named inputs, float32 [N, H, W, C] each. */
export function goldenMaps({ inputs }: Pick<GoldenDetector, 'inputs'>): tf.Tensor4D[] {
  return Object.entries(inputs).map(([name, shape]) => {
    const [n, c, h, w] = shape as [number, number, number, number];
    return tf.tensor4d(goldenMap(name, shape), [n, h, w, c]);
  });
}

/** A batch whose pixels are never looked at. */
export function goldenBatch({ metas, canvas: [height, width] = CANVAS }: Pick<GoldenDetector, 'metas' | 'canvas'>): {
  images: tf.Tensor4D;
  sizes: tf.Tensor2D;
} {
  return {
    images: tf.zeros<tf.Rank.R4>([metas.length, height, width, 3]),
    sizes: tf.tensor2d(metas.map(({ img_shape }) => [...img_shape])),
  };
}

export function goldenScales({ metas }: GoldenDetector): tf.Tensor2D {
  return tf.tensor2d(metas.map(({ scale_factor: [x, y] }) => [y, x]));
}

/** Draws that choose the first boxes in index order. */
export const takeFirst = (count: number): tf.Tensor1D => tf.div(tf.range(count, 0, -1), count);

/** Ground truth with a row that holds no object, masks over the whole canvas. */
export function goldenTruth({ gt_bboxes, gt_labels }: Pick<GoldenTraining, 'gt_bboxes' | 'gt_labels'>) {
  const images = gt_bboxes.length;
  const rows = Math.max(...gt_labels.map((labels) => labels.length)) + 1;
  const padded = <T>(values: readonly T[], filler: T): T[] => [...values, ...Array(rows - values.length).fill(filler)];
  const masks = new Float32Array(images * rows * CANVAS_HEIGHT * CANVAS_WIDTH);
  gt_bboxes.forEach((image, n) => {
    image.forEach((box, row) => drawEllipse(masks, (n * rows + row) * CANVAS_HEIGHT, box));
  });
  return {
    boxes: tf.tensor3d(gt_bboxes.map((image) => padded([...image.map((box) => [...box])], [0, 0, 0, 0]))),
    labels: tf.tensor2d(gt_labels.map((labels) => padded(labels, -1)), undefined, 'int32'), // prettier-ignore
    masks: tf.tensor4d(masks, [images, rows, CANVAS_HEIGHT, CANVAS_WIDTH]),
    regions: tf.tile(tf.tensor3d([[[0, 0, CANVAS_WIDTH, CANVAS_HEIGHT]]]), [images, rows, 1]),
  };
}

function drawEllipse(masks: Float32Array, firstRow: number, box: readonly number[]): void {
  const [x1, y1, x2, y2] = box as [number, number, number, number];
  for (let y = 0; y < CANVAS_HEIGHT; y++) {
    for (let x = 0; x < CANVAS_WIDTH; x++) {
      const dx = (x + 0.5 - (x1 + x2) / 2) / ((x2 - x1) / 2);
      const dy = (y + 0.5 - (y1 + y2) / 2) / ((y2 - y1) / 2);
      if (dx * dx + dy * dy <= 1) masks[(firstRow + y) * CANVAS_WIDTH + x] = 1;
    }
  }
}

interface FoundDetections {
  readonly boxes: tf.Tensor2D;
  readonly scores: tf.Tensor1D;
  readonly labels: tf.Tensor1D;
  readonly valid: tf.Tensor1D;
  readonly masks?: tf.Tensor3D;
}

/**
 * Asserts that the best detections of an image are the reference's, boxes to 5e-3 pixels and scores to 1e-3.
 * @param maskArea pixels of a mask, put where its box is; areas may differ by 3.
 */
export function expectGoldenDetections(
  found: FoundDetections,
  expected: readonly GoldenDetection[],
  maskArea?: (mask: Float32Array, box: readonly number[]) => number,
): void {
  const count = expected.length;
  expectClose([...found.labels.dataSync()].slice(0, count), expected.map(({ label }) => label), {}, 'labels'); // prettier-ignore
  expectClose(found.boxes.dataSync().slice(0, 4 * count), expected.flatMap(({ box }) => box), { atol: 5e-3 }, 'boxes'); // prettier-ignore
  expectClose(found.scores.dataSync().slice(0, count), expected.map(({ score }) => score), { atol: 1e-3 }, 'scores'); // prettier-ignore
  if (maskArea === undefined) return;
  const masks = found.masks!.dataSync<'float32'>();
  const cells = found.masks!.shape[1] * found.masks!.shape[2];
  expected.forEach(({ box, mask_area }, i) => {
    const area = maskArea(masks.slice(i * cells, (i + 1) * cells), box);
    expectClose([area], [mask_area!], { atol: 3 }, `mask area ${i}`);
  });
}

export function countDetections({ valid }: Pick<FoundDetections, 'valid'>): number {
  return tf.tidy(() => tf.sum(valid).dataSync()[0]!);
}

interface Differentiable {
  readonly variable: tf.Variable;
  toTorchOrder(values: Float32Array): Float32Array;
}

/** Asserts that a loss sends parameters and maps the reference's gradients, to 1e-4 of each one's largest. */
export function expectGoldenGradients({
  parameters,
  maps,
  loss,
  golden,
  undecided = {},
}: {
  /** By official name. */
  readonly parameters: ReadonlyMap<string, Differentiable>;
  /** float32 [N, H, W, C], by the names that the golden file gives them. */
  readonly maps: Readonly<Record<string, tf.Tensor4D>>;
  readonly loss: (maps: tf.Tensor4D[]) => tf.Scalar;
  readonly golden: Readonly<Record<string, GoldenStats>>;
  /** Samples that hang on a ReLU whose input is within rounding of zero: their numbers by tensor; not compared. */
  readonly undecided?: Readonly<Record<string, number>>;
}): void {
  const inputs = new Map(Object.entries(maps).map(([name, map]) => [name, tf.variable(map)]));
  const variables = [...inputs.values(), ...[...parameters.values()].map(({ variable }) => variable)];
  const features: tf.Tensor4D[] = [...inputs.values()];
  const { value, grads } = tf.variableGrads(() => loss(features), variables);
  for (const [name, expected] of Object.entries(golden)) {
    const input = inputs.get(name);
    const parameter = parameters.get(name);
    if (input === undefined && parameter === undefined) throw new Error(`${name}: no such parameter or map`);
    const gradient = grads[(input ?? parameter!.variable).name]!;
    const values = gradient.dataSync<'float32'>();
    const torch = input ? nhwcToNchw(values, gradient.shape) : parameter!.toTorchOrder(values);
    expectGoldenStats(torch, expected, { tolerance: 1e-4, relativeTo: 'max', except: undecided[name] }, name);
  }
  tf.dispose([value, grads, [...inputs.values()]]);
}

type TensorsOf<I> = (inputs: I) => Record<string, tf.Tensor>;

/** Asserts that a compiled loss and its gradients are those that it has eagerly, and that replaying leaks nothing. */
export async function expectCompiledAsEager<I extends tf.NamedTensorMap>({
  compile,
  loss,
  parameters,
  inputs,
}: {
  readonly compile: (step: TensorsOf<I>) => TensorsOf<I> & { dispose(): void };
  readonly loss: (inputs: I) => tf.Scalar;
  readonly parameters: ReadonlyMap<string, { readonly variable: tf.Variable }>;
  readonly inputs: I;
}): Promise<void> {
  const variables = [...parameters.values()].map(({ variable }) => variable);
  const step: TensorsOf<I> = (given) => {
    const { value, grads } = tf.variableGrads(() => loss(given), variables);
    return { loss: value, ...Object.fromEntries(variables.map(({ name }, i) => [`gradient${i}`, grads[name]!])) };
  };
  const compiled = compile(step);
  const [eager, graph] = [step(inputs), compiled(inputs)];
  for (const [name, values] of Object.entries(eager)) {
    const expected = values.dataSync<'float32'>();
    const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 1e-3);
    expectClose(graph[name]!.dataSync(), expected, { atol: 1e-4 * largest }, name);
  }
  await expectNoLeaks(() => tf.dispose(compiled(inputs)));
  tf.dispose([eager, graph]);
  compiled.dispose();
}

/** COCO's runs (column-major lengths, zeros first) as rows of pixels, 0 or 1. */
export function decodeRuns(runs: readonly number[], height: number, width: number): Float32Array {
  const pixels = new Float32Array(height * width);
  let at = 0;
  runs.forEach((run, i) => {
    for (let end = at + run; at < end; at++) {
      if (i % 2 === 1) pixels[(at % height) * width + Math.floor(at / height)] = 1;
    }
  });
  return pixels;
}
