/**
 * The transformer of DINO (Zhang et al. 2023): mixed query selection (section 3.4), boxes that are refined from layer to
 * layer and look forward twice (section 3.5).
 */
import * as tf from '@tensorflow/tfjs-core';
import { Embedding, type ForwardPass, initializers, LayerNorm, type Linear, Module } from '@pyramidal/nn';
import { DecoderLayer, type Memory } from './decoder';
import { denoisingMask, type DenoisingSlots } from './denoising';
import type { DinoLayout } from './dino-layouts';
import { Encoder } from './encoder';
import type { SetPrediction } from './hungarian-matcher';
import { LevelEmbedding } from './level-embedding';
import { boxHead, classHead, Mlp } from './prediction-heads';
import { bestTokens, takeTokens, tokenProposals } from './query-selection';
import { boxesFrom, withoutGradient } from './reference-boxes';
import { sineCode } from './sine-position';
import { type Canvas, tokenLevels, tokensOf } from './token-levels';
import { type LayerOptions, transformerLinear } from './transformer-layer';

export interface DinoTransformerOptions extends LayerOptions {
  readonly queries: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
}

/** One for every layer of the decoder, and unless these are shared one more, for the tokens. */
export interface DinoHeads {
  readonly classEmbed: readonly Linear[];
  readonly bboxEmbed: readonly Mlp[];
}

/** Slots that are to be denoised, and what their labels look like to the decoder. */
export interface NoisyQueries extends Pick<DenoisingSlots, 'boxes' | 'group'> {
  /** float32 [N, S, channels]. */
  readonly content: tf.Tensor3D;
}

/** What a DINO transformer predicts. */
export interface DinoOutput {
  readonly memory: tf.Tensor3D;
  /** int32 [N, Q]: the tokens that became queries, best first. */
  readonly selected: tf.Tensor2D;
  /** Of the selected tokens. */
  readonly tokens: SetPrediction;
  /** Of each layer, for slots and queries side by side. */
  readonly layers: readonly SetPrediction[];
}

const TEMPERATURE = 10000;
const EPSILON = 1e-3;

class DinoDecoder extends Module {
  readonly layers: DecoderLayer[];
  readonly norm: LayerNorm;
  readonly refPointHead: Mlp;
  /** The detector's heads under a second name. */
  readonly classEmbed: readonly Linear[];
  readonly bboxEmbed: readonly Mlp[];

  constructor({ decoderLayers, ...options }: DinoTransformerOptions, heads: DinoHeads, layout: DinoLayout) {
    super();
    const { channels } = options;
    this.layers = Array.from({ length: decoderLayers }, () => new DecoderLayer(options, layout.decoderLayer));
    this.norm = new LayerNorm(channels);
    this.refPointHead = new Mlp([transformerLinear(2 * channels, channels), transformerLinear(channels, channels)]);
    this.classEmbed = heads.classEmbed;
    this.bboxEmbed = heads.bboxEmbed;
  }

  /**
   * A layer's boxes are told from those that the layer before moved, with the gradient of that move: each layer learns from
   * its own loss and from the next one's.
   * @param content float32 [N, Q, channels]. @param references float32 [N, Q, 4], centre and size in shares of the image.
   */
  forward(
    content: tf.Tensor3D,
    references: tf.Tensor3D,
    mask: tf.Tensor4D | undefined,
    memory: Memory,
    pass: ForwardPass,
  ): SetPrediction[] {
    let [x, from, moved] = [content, references, references];
    return this.layers.map((layer, i) => {
      const position = this.positionOf(from, memory);
      x = layer.forward({ content: x, position, references: from, mask }, memory, pass);
      const seen = this.norm.forward(x);
      const boxes = boxesFrom(moved, this.bboxEmbed[i]!.forward(seen), EPSILON);
      if (i < this.layers.length - 1) {
        moved = boxesFrom(from, this.bboxEmbed[i]!.forward(x), EPSILON);
        from = withoutGradient(moved);
      }
      return { logits: this.classEmbed[i]!.forward(seen), boxes };
    });
  }

  /** Where queries are, on the finest level with its padding, as the decoder reads it. */
  private positionOf(references: tf.Tensor3D, { ratios }: Memory): tf.Tensor3D {
    return tf.tidy(() => {
      const finest = tf.slice(ratios, [0, 0, 0], [-1, 1, 2]);
      const [x, y, width, height] = tf.split(tf.mul<tf.Tensor3D>(references, tf.tile(finest, [1, 1, 2])), 4, 2);
      const numbers = tf.concat([y!, x!, width!, height!], 2) as tf.Tensor3D;
      const channels = this.refPointHead.layers[0]!.inFeatures / 4;
      return this.refPointHead.forward(sineCode(numbers, channels, TEMPERATURE));
    });
  }
}

export class DinoTransformer extends Module {
  protected override readonly officialNames = { levelEmbedding: '' };
  readonly levelEmbedding: LevelEmbedding;
  /** Contents of queries. */
  readonly tgtEmbed: Embedding;
  readonly encoder: Encoder;
  readonly decoder: DinoDecoder;
  readonly encOutput: Linear;
  readonly encOutputNorm: LayerNorm;
  /** Of tokens, where the decoder's heads are shared. */
  readonly encOutClassEmbed: Linear | undefined;
  readonly encOutBboxEmbed: Mlp | undefined;

  constructor(
    private readonly options: DinoTransformerOptions,
    private readonly layout: DinoLayout,
    heads: DinoHeads,
  ) {
    super();
    const { channels, levels, encoderLayers, queries } = options;
    this.levelEmbedding = new LevelEmbedding(levels, channels, layout.levelEmbedding);
    this.tgtEmbed = new Embedding(queries, channels, initializers.xavierUniform);
    this.encoder = new Encoder(encoderLayers, options, layout.encoderLayer);
    this.decoder = new DinoDecoder(options, heads, layout);
    this.encOutput = transformerLinear(channels, channels);
    this.encOutputNorm = new LayerNorm(channels);
    if (!layout.sharesHeads) return;
    this.encOutClassEmbed = classHead(channels, heads.classEmbed[0]!.outFeatures);
    this.encOutBboxEmbed = boxHead(channels, 0);
  }

  /**
   * @param maps float32 [N, H, W, channels], finest first.
   * @param noisy slots before the queries, in training.
   */
  forward(
    maps: readonly tf.Tensor4D[],
    canvas: Canvas,
    noisy: NoisyQueries | undefined,
    pass: ForwardPass,
  ): DinoOutput {
    const levels = tokenLevels(maps, canvas, this.layout.sine);
    const memory = this.encoder.forward(tokensOf(maps), levels, this.levelEmbedding, pass).at(-1)!;
    const { selected, tokens } = this.selectQueries(memory, tokenProposals(levels.paddings));
    const [images, queries] = selected.shape;
    const learned = tf.slice(this.tgtEmbed.weight.value<tf.Rank.R2>(), [0, 0], [queries, -1]);
    const content = tf.tile(tf.expandDims<tf.Tensor3D>(learned, 0), [images, 1, 1]);
    const references = withoutGradient(tokens.boxes);
    const whole = { ...levels, tokens: memory };
    const layers =
      noisy === undefined
        ? this.decoder.forward(content, references, undefined, whole, pass)
        : this.decoder.forward(
            tf.concat([noisy.content, content], 1),
            tf.concat([tf.sigmoid(noisy.boxes), references], 1),
            denoisingMask(noisy.group, queries),
            whole,
            pass,
          );
    return { memory, selected, tokens, layers };
  }

  /** Tokens are chosen by their best class; only those that are chosen are learned from. */
  private selectQueries(memory: tf.Tensor3D, { boxes, valid }: ReturnType<typeof tokenProposals>) {
    const classes = this.encOutClassEmbed ?? this.decoder.classEmbed.at(-1)!;
    const moves = this.encOutBboxEmbed ?? this.decoder.bboxEmbed.at(-1)!;
    const visible: tf.Tensor3D = tf.mul(memory, valid);
    const output = (of: tf.Tensor3D): tf.Tensor3D => this.encOutputNorm.forward(this.encOutput.forward(of));
    const selected = bestTokens(this.options.queries, () => tf.max(classes.forward(output(visible)), 2));
    const state = output(takeTokens(visible, selected));
    const unactivated = tf.add<tf.Tensor3D>(moves.forward(state), takeTokens(boxes, selected));
    return { selected, tokens: { logits: classes.forward(state), boxes: tf.sigmoid(unactivated) } };
  }
}
