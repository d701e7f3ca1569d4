/** DINO against detrex's (fixtures/dino.json). */
import * as tf from '@tensorflow/tfjs-core';
import { randomKeys, type TruthBatch } from '@pyramidal/detector';
import { compile } from '@pyramidal/graph';
import { Backbone, ForwardPass, inferencePass } from '@pyramidal/nn';
import {
  countDetections,
  expectClose,
  expectCompiledAsEager,
  expectGoldenGradients,
  expectGoldenStats,
  expectNoLeaks,
  fillGoldenPart,
  givenFeatures,
  goldenMaps,
  goldenNoise,
  goldenValues,
  inEngine,
  readFixture,
  stateShapes,
  withoutGradient,
  type GoldenFull,
  type GoldenOverrides,
  type GoldenStats,
} from '@pyramidal/testing';
import { denoisingSlots, type DenoisingDraws, slotCount } from './denoising';
import { DINO, Dino, type DinoOptions } from './dino';
import { DINO_LAYOUTS } from './dino-layouts';
import { hungarianMatch, type SetPrediction } from './hungarian-matcher';
import { LevelProjection } from './level-projection';
import { setTruthOf } from './set-truth';

interface GoldenRun {
  readonly gt_boxes: readonly (readonly number[][])[];
  readonly gt_labels: readonly (readonly number[])[];
  readonly dn: { groups: number; draws: Readonly<Record<'p' | 'label' | 'sign' | 'part', [string, number[]]>> } | null;
  readonly losses_unweighted: Readonly<Record<string, number>>;
  readonly total: number;
  readonly matched: Readonly<Record<'layers', (readonly [number[], number[]])[][]>> & {
    readonly encoder: (readonly [number[], number[]])[];
  };
  readonly gradient_of_total: Readonly<Record<string, GoldenStats>>;
}

const golden = readFixture(__dirname, 'dino') as {
  readonly canvas: [number, number];
  readonly image_sizes: [number, number][];
  readonly inputs: Record<string, number[]>;
  readonly state_dict: [string, number[]][];
  readonly shared: Record<string, string>;
  readonly overrides: GoldenOverrides;
  readonly forward: {
    readonly topk_index: number[][];
    readonly encoder_boxes: GoldenFull;
    readonly encoder_logits: GoldenStats;
    readonly logits: GoldenStats[];
    readonly boxes_cxcywh: GoldenFull[];
    readonly denoising_logits: GoldenStats[];
    readonly denoising_boxes_cxcywh: GoldenStats[];
  };
  readonly training: Readonly<Record<string, GoldenRun>>;
  readonly inference: {
    readonly image_size: [number, number];
    readonly original_size: [number, number];
    readonly inputs: Record<string, number[]>;
    readonly topk_index: number[][];
    readonly kept: number;
    readonly detections: { labels: number[]; scores: number[]; boxes: number[][] };
  }[];
};

const DENOISING = { count: 10, labelNoise: 0.5, boxNoise: 1 };
const SMALL = { queries: 24, encoderLayers: 2, decoderLayers: 2, feedForward: 128, classes: 20, denoising: DENOISING };
/** Rows of ground truth, some without an object. */
const ROWS = 7;

/** C2 is never looked at. */
const pyramidOf = (maps: readonly tf.Tensor4D[]): tf.Tensor4D[] => [tf.zeros([1, 1, 1, 8]), ...maps];

function modelOf(inputs: Record<string, number[]>, changes: Partial<DinoOptions> = {}) {
  const backbone = givenFeatures(Backbone, pyramidOf(goldenMaps({ inputs })), [8, 16, 32, 64]);
  const options = { ...DINO, ...SMALL, detections: { count: 100 }, ...changes };
  const neck = new LevelProjection(backbone, 64, DINO_LAYOUTS[options.layout].projection);
  return { model: new Dino(backbone, neck, options), given: backbone };
}

/** The reference's model, with its weights. */
function goldenModel(inputs = golden.inputs) {
  const parts = modelOf(inputs);
  fillGoldenPart(parts.model, '', golden.overrides);
  return parts;
}

const batchOf = ([height, width]: readonly number[], sizes: readonly (readonly number[])[]) => ({
  images: tf.zeros<tf.Rank.R4>([sizes.length, height!, width!, 3]),
  sizes: tf.tensor2d(sizes.map((size) => [...size])),
});
const batch = () => batchOf(golden.canvas, golden.image_sizes);

function truthOf({ gt_boxes, gt_labels }: Pick<GoldenRun, 'gt_boxes' | 'gt_labels'>) {
  const padded = <T>(own: readonly T[], filler: T): T[] => [...own, ...Array<T>(ROWS).fill(filler)].slice(0, ROWS);
  return {
    boxes: tf.tensor3d(gt_boxes.map((own) => padded(own, [0, 0, 0, 0]))),
    labels: tf.tensor2d(gt_labels.map((own) => padded(own, -1)), undefined, 'int32'), // prettier-ignore
  };
}

/** The reference draws for objects, one repeat after another; here slots have draws. */
function drawsOf({ gt_labels: labels, dn }: GoldenRun): DenoisingDraws {
  const slots = slotCount(DENOISING, ROWS);
  const spread = (part: 'p' | 'label' | 'sign' | 'part'): tf.Tensor => {
    const width = part === 'sign' || part === 'part' ? 4 : 1;
    const bySlot = new Float32Array(labels.length * slots * width);
    if (dn !== null) {
      const values = Float32Array.from(goldenNoise(...dn.draws[part]), (r) => Math.fround((r + 1) / 2));
      const most = Math.max(...labels.map((own) => own.length));
      let drawn = 0;
      for (let repeat = 0; repeat < 2 * dn.groups; repeat++) {
        labels.forEach((own, image) => {
          for (let i = 0; i < own.length; i++, drawn++) {
            const slot = image * slots + repeat * most + i;
            bySlot.set(values.subarray(drawn * width, (drawn + 1) * width), slot * width);
          }
        });
      }
    }
    return tf.tensor(bySlot, width === 1 ? [labels.length, slots] : [labels.length, slots, width]);
  };
  return {
    replaces: spread('p') as tf.Tensor2D,
    label: spread('label') as tf.Tensor2D,
    sign: spread('sign') as tf.Tensor3D,
    length: spread('part') as tf.Tensor3D,
  };
}

/** The output in training: slots, then queries. */
function trainingOutput(model: Dino, run: GoldenRun) {
  const truth = setTruthOf(truthOf(run), batch().sizes);
  const slots = denoisingSlots(truth, drawsOf(run), { ...DENOISING, classes: 20 });
  const noisy = { ...slots, content: model.labelEnc.forward(slots.labels) };
  return { truth, count: slots.labels.shape[1], output: model.forward(batch(), noisy, inferencePass()) };
}

const part = (x: tf.Tensor3D, first: number, count: number): Float32Array =>
  tf.slice(x, [0, first, 0], [-1, count, -1]).dataSync<'float32'>();

inEngine();

it('has the parameters of detrex', () => {
  const { model } = goldenModel();
  const aliases = model.aliases();
  expect(Object.fromEntries(aliases)).toEqual(golden.shared);
  const shapes = new Map(stateShapes(model));
  const all = [...shapes, ...[...aliases].map(([key, first]) => [key, shapes.get(first)] as const)];
  expect(Object.fromEntries(all)).toEqual(Object.fromEntries(golden.state_dict));
});

it("has its authors' parameters in their layout", () => {
  const { model } = modelOf(golden.inputs, { layout: 'authors' });
  const names = [...model.state().keys(), ...model.aliases().keys()];
  for (const name of [
    ...['input_proj.0.0.weight', 'input_proj.3.1.bias', 'transformer.level_embed', 'transformer.tgt_embed.weight'],
    ...['transformer.encoder.layers.1.self_attn.value_proj.weight', 'transformer.encoder.layers.0.linear1.bias'],
    ...['transformer.decoder.layers.0.cross_attn.output_proj.bias', 'transformer.decoder.layers.1.norm3.weight'],
    ...['transformer.decoder.layers.0.self_attn.in_proj_weight', 'transformer.decoder.norm.weight'],
    ...['transformer.decoder.ref_point_head.layers.1.weight', 'transformer.decoder.bbox_embed.1.layers.2.bias'],
    ...['transformer.decoder.class_embed.0.weight', 'transformer.enc_output_norm.bias', 'class_embed.1.weight'],
    ...['transformer.enc_out_class_embed.weight', 'transformer.enc_out_bbox_embed.layers.0.weight'],
  ]) {
    expect(names).toContain(name);
  }
  expect(model.state().get('label_enc.weight')!.torchShape).toEqual([21, 64]);
  expect(model.aliases().get('class_embed.1.weight')).toBe('class_embed.0.weight');
});

it('gives the reference outputs, of slots and of queries', () => {
  const { model } = goldenModel();
  const { count, output } = trainingOutput(model, golden.training['two_images']!);
  const { forward } = golden;
  expect(output.selected.arraySync()).toEqual(forward.topk_index);
  expectGoldenStats(output.tokens.logits.dataSync<'float32'>(), forward.encoder_logits, { tolerance: 1e-4 }, 'tokens');
  expectClose(output.tokens.boxes.dataSync(), goldenValues(forward.encoder_boxes), { atol: 1e-4 }, 'token boxes');
  output.layers.forEach(({ logits, boxes }, i) => {
    const tolerance = { tolerance: 1e-4 };
    expectGoldenStats(part(logits, count, 24), forward.logits[i]!, tolerance, `logits ${i}`);
    expectClose(part(boxes, count, 24), goldenValues(forward.boxes_cxcywh[i]!), { atol: 1e-4 }, `boxes ${i}`);
    expectGoldenStats(part(logits, 0, 20), forward.denoising_logits[i]!, tolerance, `slots' logits ${i}`);
    expectGoldenStats(part(boxes, 0, 20), forward.denoising_boxes_cxcywh[i]!, tolerance, `slots' boxes ${i}`);
  });
});

describe.each(Object.entries(golden.training))('%s', (_, run) => {
  const lossesOf = (model: Dino) => {
    const images = batch();
    return model.lossOf(images, setTruthOf(truthOf(run), images.sizes), drawsOf(run), inferencePass());
  };

  it('matches and loses as the reference', () => {
    const { model } = goldenModel();
    const { truth, count, output } = trainingOutput(model, run);
    const numbersOf = (matched: (readonly [number[], number[]])[]): number[] =>
      matched.flatMap(([queries, rows]) => {
        const own = Array<number>(24).fill(0);
        queries.forEach((query, k) => (own[query] = rows[k]! + 1));
        return own;
      });
    const match = (prediction: SetPrediction): number[] => [
      ...hungarianMatch(prediction, truth, { ...DINO, weights: DINO.costs }).dataSync(),
    ];
    output.layers.forEach(({ logits, boxes }, i) => {
      const queries = { logits: tf.slice(logits, [0, count, 0]), boxes: tf.slice(boxes, [0, count, 0]) };
      expect(match(queries as SetPrediction)).toEqual(numbersOf(run.matched.layers[i]!));
    });
    expect(match(output.tokens)).toEqual(numbersOf(run.matched.encoder));

    const losses = lossesOf(model);
    const names = { class: 'loss_class', box: 'loss_bbox', giou: 'loss_giou' } as const;
    for (const [own, official] of Object.entries({ '': '', 0: '_0', Enc: '_enc', Dn: '_dn', Dn0: '_dn_0' })) {
      for (const [name, weight] of Object.entries(DINO.losses)) {
        const value = losses[name + own]!.dataSync()[0]! / weight;
        const expected = run.losses_unweighted[names[name as keyof typeof names] + official]!;
        expectClose([value], [expected], { rtol: 2e-5, atol: 2e-5 }, name + own);
      }
    }
    expectClose(losses.loss.dataSync(), [run.total], { rtol: 5e-5 }, 'total');
  });

  it('sends the reference gradients', () => {
    const { model, given } = goldenModel();
    const maps = goldenMaps(golden);
    expectGoldenGradients({
      parameters: model.parameters(),
      maps: Object.fromEntries(Object.keys(golden.inputs).map((name, i) => [name, maps[i]!])),
      loss: (inputs) => {
        given.maps = pyramidOf(inputs);
        return lossesOf(model).loss;
      },
      golden: run.gradient_of_total,
    });
  });
});

it.each(golden.inference.map((one, image) => [image, one] as const))(
  'finds what the reference finds: image %i',
  async (__, one) => {
    const { model } = goldenModel(one.inputs);
    const images = batchOf(one.image_size, [one.image_size]);
    const scales = tf.tensor2d([one.image_size.map((side, axis) => side / one.original_size[axis]!)]);
    expect(model.forward(images, undefined, inferencePass()).selected.arraySync()).toEqual(one.topk_index);
    await expectNoLeaks(() => tf.dispose(model.predict(images, scales, inferencePass())));
    const [found] = model.predict(images, scales, inferencePass());
    const { labels, scores, boxes } = one.detections;
    expect(countDetections(found!)).toBe(one.kept);
    expectClose(found!.scores.dataSync().slice(0, one.kept), scores, { atol: 1e-4 }, 'scores');
    expect([...found!.labels.dataSync().slice(0, 30)]).toEqual(labels.slice(0, 30));
    expectClose(found!.boxes.dataSync().slice(0, 120), boxes.slice(0, 30).flat(), { atol: 2e-2 }, 'boxes');
  },
);

describe.each(['detrex', 'authors'] as const)('in the layout of %s', (layout) => {
  const drawn = () => {
    const { model } = modelOf(golden.inputs, { layout, dropout: 0.1 });
    fillGoldenPart(model, '');
    return model;
  };
  const run = golden.training['two_images']!;

  it('compiles as a whole training step, and gives what it gives eagerly', async () => {
    const model = drawn();
    // Padded tokens score alike: which of them becomes a query first, engines may tell differently.
    const whole = batchOf(golden.canvas, [golden.canvas, golden.canvas]);
    await expectCompiledAsEager({
      compile,
      parameters: model.parameters(),
      inputs: { ...whole, ...truthOf(run), seed: tf.tensor1d([1, 2], 'int32') },
      loss: ({ images, sizes, seed, ...truth }) =>
        model.loss({ images, sizes }, truth, randomKeys(seed), new ForwardPass({ mode: 'train', seed })).loss,
    });
  });

  it.each([true, false])('sends every parameter a gradient, recomputed in the backward pass: %s', (recompute) => {
    const model = drawn();
    const seed = tf.tensor1d([1, 2], 'int32');
    const lossOf = (truth: TruthBatch) =>
      model.loss(batch(), truth, randomKeys(seed), new ForwardPass({ mode: 'train', seed, recompute })).loss;
    expect(withoutGradient(model.parameters(), () => lossOf(truthOf(run)))).toEqual([]);
    expect(Number.isFinite(lossOf(truthOf({ gt_boxes: [[], []], gt_labels: [[], []] })).dataSync()[0])).toBe(true);
  });
});

it('has fewer queries where an image has fewer tokens', () => {
  const { model } = modelOf(golden.inputs, { queries: 600 });
  model.initialize(1);
  const images = batch();
  expect(model.forward(images, undefined, inferencePass()).selected.shape).toEqual([2, 510]);
  const [found] = model.predict(images, tf.ones([2, 2]), inferencePass());
  expect(found!.scores.shape).toEqual([100]);
});
