/** Deformable DETR against its own code (fixtures/deformable_detr_plain.json and _box_refine.json). */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { randomKeys } from '@pyramidal/detector';
import { compile, exportSavedModel } from '@pyramidal/graph';
import { Backbone, ForwardPass, inferencePass } from '@pyramidal/nn';
import {
  expectClose,
  expectCompiledAsEager,
  expectGoldenGradients,
  expectGoldenStats,
  expectNoLeaks,
  fillGoldenPart,
  givenFeatures,
  goldenMaps,
  goldenValues,
  inEngine,
  nhwcToNchw,
  readFixture,
  stateShapes,
  takeFirst,
  withoutGradient,
  type GoldenFull,
  type GoldenOverrides,
  type GoldenStats,
} from '@pyramidal/testing';
import { DEFORMABLE_DETR, DeformableDetr, type DeformableDetrOptions, INPUT_PROJ } from './deformable-detr';
import type { Variant } from './deformable-transformer';
import { hungarianMatch } from './hungarian-matcher';
import { LevelProjection } from './level-projection';
import { setTruthOf } from './set-truth';
import { tokenLevels } from './token-levels';

interface GoldenRun {
  readonly losses: Readonly<Record<string, number>>;
  readonly total: number;
  readonly matched: readonly (readonly (readonly [number[], number[]])[])[];
  readonly gradient_of_total: Readonly<Record<string, GoldenStats>>;
}

interface Golden {
  readonly canvas: [number, number];
  readonly image_sizes: [number, number][];
  readonly inputs: Record<string, number[]>;
  readonly gt_boxes_xyxy_pixels: number[][][];
  readonly gt_labels: number[][];
  readonly state_dict: [string, number[]][];
  readonly shared: Record<string, string>;
  readonly overrides: GoldenOverrides;
  readonly forward: {
    readonly projected: GoldenStats[];
    readonly memory_padding_zeroed: GoldenStats;
    readonly logits: GoldenStats[];
    readonly boxes_cxcywh: GoldenFull[];
  };
  readonly training: Readonly<Record<string, GoldenRun>>;
  readonly inference?: {
    readonly original_sizes: [number, number][];
    readonly detections: { labels: number[]; scores: number[]; boxes: number[][] }[];
  };
  readonly odd_canvas_forward?: {
    readonly canvas: [number, number];
    readonly sizes: [number, number][];
    readonly inputs: Record<string, number[]>;
    readonly memory_padding_zeroed: GoldenStats;
    readonly logits: GoldenStats;
    readonly boxes_cxcywh: GoldenFull;
  };
}

const fixture = (name: string): Golden => readFixture(__dirname, name) as Golden;
const GOLDEN = {
  plain: fixture('deformable_detr_plain'),
  'box-refinement': fixture('deformable_detr_box_refine'),
} as const satisfies Partial<Record<Variant, Golden>>;
const { plain } = GOLDEN;

/** As small as the reference's. */
const SMALL = { queries: 24, encoderLayers: 2, decoderLayers: 2, feedForward: 128, dropout: 0, classes: 20 };

/** C2 is never looked at. */
const pyramidOf = (maps: readonly tf.Tensor4D[]): tf.Tensor4D[] => [tf.zeros([2, 1, 1, 8]), ...maps];

function modelOf(maps: readonly tf.Tensor4D[], changes: Partial<DeformableDetrOptions> = {}) {
  const backbone = givenFeatures(Backbone, pyramidOf(maps), [8, 16, 32, 64]);
  const neck = new LevelProjection(backbone, 64, INPUT_PROJ);
  return { model: new DeformableDetr(backbone, neck, { ...DEFORMABLE_DETR, ...SMALL, ...changes }), given: backbone };
}

/** The reference's model, with its weights. */
function goldenModel(variant: keyof typeof GOLDEN) {
  const { inputs, overrides } = GOLDEN[variant];
  const { model, given } = modelOf(goldenMaps({ inputs }), { variant });
  fillGoldenPart(model, '', overrides);
  return { model, given };
}

const batchOf = ([height, width]: readonly number[], sizes: readonly (readonly number[])[]) => ({
  images: tf.zeros<tf.Rank.R4>([sizes.length, height!, width!, 3]),
  sizes: tf.tensor2d(sizes.map((size) => [...size])),
});

/** Objects of some images, with a row that holds none. */
function truthOf({ gt_boxes_xyxy_pixels: boxes, gt_labels: labels }: Golden, images: readonly number[]) {
  const rows = Math.max(...labels.map((own) => own.length)) + 1;
  const padded = <T>(own: readonly T[], isShown: boolean, filler: T): T[] =>
    [...(isShown ? own : []), ...Array<T>(rows).fill(filler)].slice(0, rows);
  return {
    boxes: tf.tensor3d(boxes.map((own, image) => padded(own, images.includes(image), [0, 0, 0, 0]))),
    labels: tf.tensor2d(labels.map((own, image) => padded(own, images.includes(image), -1)), undefined, 'int32'), // prettier-ignore
  };
}

const RUNS = { two_images: [0, 1], second_without_boxes: [0], both_without_boxes: [] } as const;
const CASES = Object.entries(GOLDEN).flatMap(([variant, { training }]) =>
  Object.keys(training).map((run) => [variant as keyof typeof GOLDEN, run as keyof typeof RUNS] as const),
);

inEngine();

describe.each(Object.entries(GOLDEN))('%s', (name, golden) => {
  const variant = name as keyof typeof GOLDEN;

  it('has the official parameters', () => {
    const { model } = goldenModel(variant);
    const aliases = model.aliases();
    expect(Object.fromEntries(aliases)).toEqual(golden.shared);
    const shapes = new Map(stateShapes(model));
    const all = [...shapes, ...[...aliases].map(([key, first]) => [key, shapes.get(first)] as const)];
    expect(Object.fromEntries(all)).toEqual(Object.fromEntries(golden.state_dict));
  });

  it('gives the reference outputs for images of different size', () => {
    const { model, given } = goldenModel(variant);
    const { projected, memory_padding_zeroed, logits, boxes_cxcywh } = golden.forward;
    const batch = batchOf(golden.canvas, golden.image_sizes);
    const maps = model.neck.forward(given.maps);
    maps.forEach((map, level) => {
      const values = nhwcToNchw(map.dataSync<'float32'>(), map.shape);
      expectGoldenStats(values, projected[level]!, { tolerance: 1e-4 }, `level ${level}`);
    });
    const { memory, layers } = model.forward(batch, inferencePass());
    const { valid } = tokenLevels(maps, { size: golden.canvas, sizes: batch.sizes }, { temperature: 1e4, offset: 0 });
    const shown = tf.mul(memory, valid).dataSync<'float32'>();
    expectGoldenStats(shown, memory_padding_zeroed, { tolerance: 1e-4 }, 'memory');
    layers.forEach((layer, i) => {
      expectGoldenStats(layer.logits.dataSync<'float32'>(), logits[i]!, { tolerance: 1e-4 }, `logits ${i}`);
      expectClose(layer.boxes.dataSync(), goldenValues(boxes_cxcywh[i]!), { rtol: 1e-4, atol: 1e-4 }, `boxes ${i}`);
    });
  });
});

describe.each(CASES)('%s: %s', (variant, run) => {
  const golden = GOLDEN[variant];
  const expected: GoldenRun = golden.training[run]!;
  const lossesOf = ({ model }: ReturnType<typeof goldenModel>) => {
    const batch = batchOf(golden.canvas, golden.image_sizes);
    return model.loss(batch, truthOf(golden, RUNS[run]), takeFirst, inferencePass());
  };

  it('matches and loses as the reference', () => {
    const { model } = goldenModel(variant);
    const batch = batchOf(golden.canvas, golden.image_sizes);
    const truth = setTruthOf(truthOf(golden, RUNS[run]), batch.sizes);
    model.forward(batch, inferencePass()).layers.forEach((layer, i) => {
      const matches = hungarianMatch(layer, truth, { ...DEFORMABLE_DETR, weights: DEFORMABLE_DETR.costs });
      const numbers = expected.matched[i]!.flatMap(([queries, rows]) => {
        const own = Array<number>(SMALL.queries).fill(0);
        queries.forEach((query, k) => (own[query] = rows[k]! + 1));
        return own;
      });
      expect([...matches.dataSync()]).toEqual(numbers);
    });
    const losses = lossesOf({ model } as ReturnType<typeof goldenModel>);
    const { losses: weights } = DEFORMABLE_DETR;
    for (const suffix of ['', '0']) {
      const official = suffix === '' ? '' : '_0';
      for (const [part, name] of [
        ['class', 'loss_ce'],
        ['box', 'loss_bbox'],
        ['giou', 'loss_giou'],
      ] as const) {
        // prettier-ignore
        const value = losses[part + suffix]!.dataSync()[0]! / weights[part];
        expectClose([value], [expected.losses[name + official]!], { rtol: 2e-5, atol: 2e-5 }, part + suffix);
      }
    }
    expectClose(losses.loss.dataSync(), [expected.total], { rtol: 5e-5 }, 'total');
  });

  it('sends the reference gradients', () => {
    const parts = goldenModel(variant);
    const maps = goldenMaps(golden);
    expectGoldenGradients({
      parameters: parts.model.parameters(),
      maps: Object.fromEntries(Object.keys(golden.inputs).map((name, i) => [name, maps[i]!])),
      loss: (inputs) => {
        parts.given.maps = pyramidOf(inputs);
        return lossesOf(parts).loss;
      },
      golden: expected.gradient_of_total,
    });
  });
});

it('gives the reference outputs on a canvas that no stride divides', () => {
  const { canvas, sizes, inputs, logits, boxes_cxcywh } = plain.odd_canvas_forward!;
  const { model, given } = goldenModel('plain');
  given.maps = pyramidOf(goldenMaps({ inputs }));
  const last = model.forward(batchOf(canvas, sizes), inferencePass()).layers.at(-1)!;
  expectGoldenStats(last.logits.dataSync<'float32'>(), logits, { tolerance: 1e-4 }, 'logits');
  expectClose(last.boxes.dataSync(), goldenValues(boxes_cxcywh), { rtol: 1e-4, atol: 1e-4 }, 'boxes');
});

it('finds what the reference finds', async () => {
  const { model } = goldenModel('plain');
  const { original_sizes, detections } = plain.inference!;
  const batch = batchOf(plain.canvas, plain.image_sizes);
  const scales = plain.image_sizes.map(([height, width], i) => [height / original_sizes[i]![0], width / original_sizes[i]![1]]); // prettier-ignore
  const options = tf.tensor2d(scales);
  await expectNoLeaks(() => tf.dispose(model.predict(batch, options, inferencePass())));
  model.predict(batch, options, inferencePass()).forEach(({ boxes, scores, labels, valid }, image) => {
    const expected = detections[image]!;
    expect([...valid.dataSync()]).toEqual(Array(100).fill(1));
    expectClose(scores.dataSync(), expected.scores, { atol: 1e-4 }, 'scores');
    expect([...labels.dataSync().slice(0, 30)]).toEqual(expected.labels.slice(0, 30));
    expectClose(boxes.dataSync().slice(0, 120), expected.boxes.slice(0, 30).flat(), { atol: 2e-2 }, 'boxes');
  });
});

const VARIANTS: readonly Variant[] = ['plain', 'box-refinement', 'two-stage'];

describe.each(VARIANTS)('%s, of other weights', (variant) => {
  const drawn = () => {
    const { model } = modelOf(goldenMaps(plain), { variant, dropout: 0.1 });
    // Unlike at first, all parts matter, and nobody looks at the very middle of cells, where gradients have steps.
    fillGoldenPart(model, '');
    return model;
  };

  it('compiles as a whole training step, and gives what it gives eagerly', async () => {
    const model = drawn();
    // Padded tokens score alike: which of them becomes a query first, engines may tell differently.
    const batch = batchOf(plain.canvas, [plain.canvas, plain.canvas]);
    await expectCompiledAsEager({
      compile,
      parameters: model.parameters(),
      inputs: { ...batch, ...truthOf(plain, [0, 1]), seed: tf.tensor1d([1, 2], 'int32') },
      loss: ({ images, sizes, seed, ...truth }) =>
        model.loss({ images, sizes }, truth, randomKeys(seed), new ForwardPass({ mode: 'train', seed })).loss,
    });
  });

  it.each([true, false])('sends every parameter a gradient, recomputed in the backward pass: %s', (recompute) => {
    const model = drawn();
    const batch = batchOf(plain.canvas, plain.image_sizes);
    const seed = tf.tensor1d([1, 2], 'int32');
    const pass = () => new ForwardPass({ mode: 'train', seed, recompute });
    const lossOf = (images: readonly number[]) => model.loss(batch, truthOf(plain, images), takeFirst, pass()).loss;
    expect(withoutGradient(model.parameters(), () => lossOf([0, 1]))).toEqual([]);
    expect(Number.isFinite(lossOf([]).dataSync()[0])).toBe(true);
  });
});

it('is exported without operations that other programs lack', () => {
  const { model } = modelOf(goldenMaps(plain));
  model.initialize(1);
  const folder = mkdtempSync(join(tmpdir(), 'detr-'));
  const sizes = tf.tensor2d([[...plain.canvas], [...plain.canvas]]);
  const images = tf.zeros<tf.Rank.R4>([2, ...plain.canvas, 3]);
  exportSavedModel(
    (inputs: { images: tf.Tensor4D }) => {
      const [found] = model.predict({ images: inputs.images, sizes }, tf.ones([2, 2]), inferencePass());
      return { boxes: found!.boxes, scores: found!.scores };
    },
    { images },
    folder,
  );
  const graph = readFileSync(join(folder, 'saved_model.pb'), 'latin1');
  rmSync(folder, { recursive: true });
  expect([graph.includes('GatherNd'), graph.includes('PyramidalDeformable')]).toEqual([true, false]);
});

it('starts from rare objects, small boxes and queries all over the image', () => {
  const { model } = modelOf(goldenMaps(plain));
  model.initialize(1);
  const { layers } = model.forward(batchOf(plain.canvas, plain.image_sizes), inferencePass());
  const bias = model.classEmbed[0]!.bias!.variable.dataSync();
  expectClose([1 / (1 + Math.exp(-bias[0]!))], [0.01], { rtol: 1e-5 });
  const boxes = layers[0]!.boxes.arraySync().flat();
  expectClose(boxes.flatMap(([, , w, h]) => [w!, h!]), Array(96).fill(1 / (1 + Math.exp(2))), { rtol: 1e-4 }); // prettier-ignore
  const across = boxes.map(([x]) => x!);
  expect(Math.max(...across) - Math.min(...across)).toBeGreaterThan(0.5);
});

it('learns and finds the classes at their rows of heads that have more', () => {
  const categoryRows = [1, 3, 17];
  const { model } = modelOf(goldenMaps(plain), { classes: 3, categoryRows });
  model.initialize(1);
  expect(model.classEmbed[0]!.outFeatures).toBe(18);
  model.classEmbed[0]!.bias!.assignTorch(Float32Array.from({ length: 18 }, (_, row) => (row === 17 ? 2 : -5)));
  const batch = batchOf(plain.canvas, plain.image_sizes);
  const [found] = model.predict(batch, tf.ones([2, 2]), inferencePass());
  expect(found!.labels.dataSync()[0]).toBe(2);
  const truth = { ...truthOf(plain, [0]), labels: tf.tensor2d([[2, 2, -1, -1, -1, -1], Array(6).fill(-1)], [2, 6], 'int32') }; // prettier-ignore
  const { grads } = tf.variableGrads(
    () => model.loss(batch, truth, takeFirst, inferencePass()).loss,
    [model.classEmbed[0]!.bias!.variable],
  );
  const [slopes] = Object.values(grads).map((gradient) => gradient.dataSync());
  expect(slopes![2]).toBeGreaterThan(0);
  expect(() => modelOf(goldenMaps(plain), { classes: 4, categoryRows })).toThrow(
    'categoryRows: expected 4 different rows, one a class, received 1, 3, 17',
  );
});
