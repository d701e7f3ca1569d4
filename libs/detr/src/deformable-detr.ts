/**
 * Deformable DETR (Zhu et al. 2021, arXiv 2010.04159): a set of boxes from a transformer that looks at few points of every
 * level; plain, with moving references, or with queries from a first stage. Names are those of the authors' code.
 */
import * as tf from '@tensorflow/tfjs-core';
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
  DeformableTransformer,
  type TransformerOptions,
  type TransformerOutput,
  type Variant,
} from './deformable-transformer';
import type { LevelProjection, ProjectionNames } from './level-projection';
import { boxHead, classHead, type Mlp } from './prediction-heads';
import { detectionsOf } from './set-detections';
import { joinLosses, layerSuffix, matchedLosses, type SetCriterionOptions, type SetLosses } from './set-criterion';
import { setTruthOf } from './set-truth';

export interface DeformableDetrOptions extends Omit<TransformerOptions, 'channels' | 'levels'>, SetCriterionOptions {
  readonly classes: number;
  /** Rows of the class heads that the classes have, where these have more: COCO's ids in published weights. */
  readonly categoryRows?: readonly number[] | undefined;
  readonly detections: { readonly count: number };
}

/** The published settings of the plain variant; the number of classes is the data's. */
export const DEFORMABLE_DETR = {
  variant: 'plain',
  queries: 300,
  encoderLayers: 6,
  decoderLayers: 6,
  heads: 8,
  points: 4,
  feedForward: 1024,
  dropout: 0.1,
  costs: { class: 2, box: 5, giou: 2 },
  losses: { class: 2, box: 5, giou: 2 },
  focal: { alpha: 0.25, gamma: 2 },
  giou: { epsilon: 1e-12 },
  detections: { count: 100 },
} as const satisfies Omit<DeformableDetrOptions, 'classes'>;

/** `input_proj.0.0` and `input_proj.0.1`. */
export const INPUT_PROJ: ProjectionNames = {
  lists: { convs: '' },
  parts: { conv: '0', norm: '1' },
  hasExtraList: false,
};

/** Sizes of boxes before training, in the inverse sigmoid: an eighth of the image. */
const SMALL = -2;

export class DeformableDetr extends Detector {
  protected override readonly officialNames = { neck: 'input_proj' };
  readonly classEmbed: readonly Linear[];
  readonly bboxEmbed: readonly Mlp[];
  readonly transformer: DeformableTransformer;
  /** Positions and contents of queries that are learned. */
  readonly queryEmbed: Embedding | undefined;
  private readonly options: DeformableDetrOptions;
  private readonly rows: CategoryRows;

  /** @param neck gives the levels that the transformer sees. */
  constructor(backbone: Backbone, neck: LevelProjection, options: DeformableDetrOptions) {
    super(backbone, neck);
    const { variant, decoderLayers, queries, classes, categoryRows } = options;
    const { channels, strides } = neck;
    this.options = options;
    this.rows = new CategoryRows(classes, categoryRows);
    const count = variant === 'two-stage' ? decoderLayers + 1 : decoderLayers;
    this.classEmbed = listOf(count, variant, () => classHead(channels, this.rows.count));
    this.bboxEmbed = listOf(count, variant, (i) => boxHead(channels, variant !== 'two-stage' && i === 0 ? SMALL : 0));
    this.transformer = new DeformableTransformer({ ...options, channels, levels: strides.length }, this);
    this.queryEmbed = variant === 'two-stage' ? undefined : new Embedding(queries, 2 * channels);
  }

  /** Class and box of every query after each layer of the decoder. */
  forward({ images, sizes }: ImageBatch, pass: ForwardPass): TransformerOutput {
    const [, height, width] = images.shape;
    const canvas = { size: [height, width] as const, sizes };
    const learned = this.queryEmbed?.weight.value<tf.Rank.R2>();
    return this.transformer.forward(this.pyramid(images, pass), canvas, learned, this, pass);
  }

  /** Matches objects and queries after every layer: nothing is drawn at random but what is dropped. */
  override loss(batch: ImageBatch, truth: TruthBatch, _drawKeys: DrawKeys, pass: ForwardPass): DetectionLosses {
    const objects = this.rows.ofTruth(setTruthOf(truth, batch.sizes));
    const { layers, tokens } = this.forward(batch, pass);
    const sets: Record<string, SetLosses> = {};
    for (const [i, layer] of layers.entries()) {
      sets[layerSuffix(i, layers.length)] = matchedLosses(layer, objects, this.options);
    }
    if (tokens !== undefined) {
      const labels = tf.minimum<tf.Tensor2D>(objects.labels, tf.scalar(0, 'int32'));
      sets['Enc'] = matchedLosses(tokens, { ...objects, labels }, this.options);
    }
    return joinLosses(sets);
  }

  override predict(batch: ImageBatch, scales: tf.Tensor2D, pass: ForwardPass): Detections[] {
    return tf.tidy(() => {
      const { logits, boxes } = this.forward(batch, pass).layers.at(-1)!;
      const { count } = this.options.detections;
      return detectionsOf({ logits: this.rows.ofLogits(logits), boxes }, { sizes: batch.sizes, scales, count });
    });
  }
}

/** Heads of the plain variant are one, whatever the layer. */
function listOf<T>(count: number, variant: Variant, create: (index: number) => T): T[] {
  const first = create(0);
  return Array.from({ length: count }, (_, i) => (i === 0 || variant === 'plain' ? first : create(i)));
}
