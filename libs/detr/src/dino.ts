/**
 * DINO (Zhang et al. 2023, arXiv 2203.03605): Deformable DETR in two stages with contrastive denoising, mixed query selection
 * and boxes that look forward twice. Two published forms, by `layout`: detrex's and the authors'.
 */
import * as tf from '@tensorflow/tfjs-core';
import { takeRows } from '@pyramidal/boxes';
import {
  type DetectionLosses,
  type Detections,
  Detector,
  type DrawKeys,
  type ImageBatch,
  type TruthBatch,
} from '@pyramidal/detector';
import { type Backbone, Embedding, type ForwardPass, type Linear } from '@pyramidal/nn';
import { CategoryRows } from './category-rows';
import {
  denoisingSlots,
  type DenoisingDraws,
  type DenoisingOptions,
  type DenoisingSlots,
  drawNoise,
  slotCount,
} from './denoising';
import { DINO_LAYOUTS } from './dino-layouts';
import { DinoTransformer, type DinoOutput, type DinoTransformerOptions, type NoisyQueries } from './dino-transformer';
import type { SetPrediction } from './hungarian-matcher';
import type { LevelProjection } from './level-projection';
import { boxHead, classHead, type Mlp } from './prediction-heads';
import {
  joinLosses,
  layerSuffix,
  matchedLosses,
  type SetCriterionOptions,
  type SetLosses,
  setLosses,
} from './set-criterion';
import { detectionsOf } from './set-detections';
import { countObjects, type SetTruth, setTruthOf, targetsOf } from './set-truth';
import type { Names } from './transformer-layer';

export interface DinoOptions extends Omit<DinoTransformerOptions, 'channels' | 'levels'>, SetCriterionOptions {
  readonly layout: keyof typeof DINO_LAYOUTS;
  readonly classes: number;
  /** Rows of the class heads that the classes have, where these have more. */
  readonly categoryRows?: readonly number[] | undefined;
  readonly denoising: DenoisingOptions;
  readonly detections: { readonly count: number };
}

/** The published settings ('4scale'); the number of classes is the data's. */
export const DINO = {
  layout: 'detrex',
  queries: 900,
  encoderLayers: 6,
  decoderLayers: 6,
  heads: 8,
  points: 4,
  feedForward: 2048,
  dropout: 0,
  costs: { class: 2, box: 5, giou: 2 },
  losses: { class: 1, box: 5, giou: 2 },
  focal: { alpha: 0.25, gamma: 2 },
  giou: { epsilon: 1e-6, isAdded: true },
  denoising: { count: 100, labelNoise: 0.5, boxNoise: 1 },
  detections: { count: 300 },
} as const satisfies Omit<DinoOptions, 'classes'>;

/** What labels look like to the decoder. */
class LabelEmbedding extends Embedding {
  /** @param labels int32 [N, S], -1 for none. @returns float32 [N, S, channels], 0 for none. */
  forward(labels: tf.Tensor2D): tf.Tensor3D {
    return tf.tidy(() => {
      const rows = takeRows(this.weight.value<tf.Rank.R2>(), tf.reshape<tf.Rank.R1>(tf.relu(labels), [-1]));
      const isLabel = tf.cast(tf.expandDims(tf.greaterEqual(labels, 0), 2), 'float32');
      return tf.mul(tf.reshape(rows, [...labels.shape, -1]), isLabel);
    });
  }
}

export class Dino extends Detector {
  protected override readonly officialNames: Names;
  readonly classEmbed: readonly Linear[];
  readonly bboxEmbed: readonly Mlp[];
  readonly transformer: DinoTransformer;
  readonly labelEnc: LabelEmbedding;
  private readonly options: DinoOptions;
  private readonly rows: CategoryRows;

  /** @param neck gives the levels that the transformer sees, named as the layout has it. */
  constructor(backbone: Backbone, neck: LevelProjection, options: DinoOptions) {
    super(backbone, neck);
    const { classes, categoryRows, decoderLayers, layout } = options;
    const { channels, strides } = neck;
    const { detector, sharesHeads, spareLabels } = DINO_LAYOUTS[layout];
    this.officialNames = detector;
    this.options = options;
    this.rows = new CategoryRows(classes, categoryRows);
    const list = <T>(create: () => T): T[] => {
      if (sharesHeads) return Array<T>(decoderLayers).fill(create());
      return Array.from({ length: decoderLayers + 1 }, create);
    };
    this.classEmbed = list(() => classHead(channels, this.rows.count));
    this.bboxEmbed = list(() => boxHead(channels, 0));
    const sizes = { ...options, channels, levels: strides.length };
    this.transformer = new DinoTransformer(sizes, DINO_LAYOUTS[layout], this);
    this.labelEnc = new LabelEmbedding(this.rows.count + spareLabels, channels);
  }

  /** Class and box of every query after each layer of the decoder, behind those of the noisy slots. */
  forward({ images, sizes }: ImageBatch, noisy: NoisyQueries | undefined, pass: ForwardPass): DinoOutput {
    const [, height, width] = images.shape;
    return this.transformer.forward(this.pyramid(images, pass), { size: [height, width], sizes }, noisy, pass);
  }

  /** @param drawKeys decides the noise. */
  override loss(batch: ImageBatch, truth: TruthBatch, drawKeys: DrawKeys, pass: ForwardPass): DetectionLosses {
    const [images, objects] = truth.labels.shape;
    const draws = drawNoise(images, slotCount(this.options.denoising, objects), drawKeys);
    return this.lossOf(batch, this.rows.ofTruth(setTruthOf(truth, batch.sizes)), draws, pass);
  }

  /** The losses of a batch with given noise. */
  lossOf(batch: ImageBatch, truth: SetTruth, draws: DenoisingDraws, pass: ForwardPass): DetectionLosses {
    const slots = denoisingSlots(truth, draws, { ...this.options.denoising, classes: this.rows.count });
    const output = this.forward(batch, { ...slots, content: this.labelEnc.forward(slots.labels) }, pass);
    const count = slots.labels.shape[1];
    const sets: Record<string, SetLosses> = {};
    const layers = output.layers.map((layer, i) => [layerSuffix(i, output.layers.length), layer] as const);
    for (const [suffix, layer] of layers) sets[suffix] = matchedLosses(queriesOf(layer, count), truth, this.options);
    sets['Enc'] = matchedLosses(output.tokens, truth, this.options);
    for (const [suffix, layer] of layers) {
      sets[`Dn${suffix}`] = this.denoisingLosses(slotsOf(layer, count), slots, truth);
    }
    return joinLosses(sets);
  }

  override predict(batch: ImageBatch, scales: tf.Tensor2D, pass: ForwardPass): Detections[] {
    return tf.tidy(() => {
      const { logits, boxes } = this.forward(batch, undefined, pass).layers.at(-1)!;
      const { count } = this.options.detections;
      const frame = { sizes: batch.sizes, scales, count, clips: true };
      return detectionsOf({ logits: this.rows.ofLogits(logits), boxes }, frame);
    });
  }

  private denoisingLosses(prediction: SetPrediction, slots: DenoisingSlots, truth: SetTruth): SetLosses {
    const { assigned, groups, counted } = slots;
    const count: tf.Scalar = tf.mul(countObjects(truth), groups);
    return setLosses(prediction, targetsOf(truth, assigned), count, this.options, counted);
  }
}

/** The queries' part of a prediction that begins with slots. */
const queriesOf = ({ logits, boxes }: SetPrediction, slots: number): SetPrediction => ({
  logits: tf.slice(logits, [0, slots, 0], [-1, -1, -1]),
  boxes: tf.slice(boxes, [0, slots, 0], [-1, -1, -1]),
});

const slotsOf = ({ logits, boxes }: SetPrediction, slots: number): SetPrediction => ({
  logits: tf.slice(logits, [0, 0, 0], [-1, slots, -1]),
  boxes: tf.slice(boxes, [0, 0, 0], [-1, slots, -1]),
});
