/** The transformer of Deformable DETR (Zhu et al. 2021, section 4 and appendix A.4), from maps to queries with boxes. */
import * as tf from '@tensorflow/tfjs-core';
import { type ForwardPass, initializers, LayerNorm, Linear, Module } from '@pyramidal/nn';
import { DecoderLayer, type Memory, type Queries } from './decoder';
import { Encoder } from './encoder';
import type { SetPrediction } from './hungarian-matcher';
import { LevelEmbedding } from './level-embedding';
import type { Mlp } from './prediction-heads';
import { bestTokens, outputMemory, takeTokens, tokenProposals } from './query-selection';
import { boxesFrom, withoutGradient } from './reference-boxes';
import { sineCode, type SineOptions } from './sine-position';
import { type Canvas, tokenLevels, tokensOf } from './token-levels';
import { type LayerOptions, transformerLinear } from './transformer-layer';

/** Where queries start from and whether their references move: as in the paper's table 1, each one with what is before it. */
export type Variant = 'plain' | 'box-refinement' | 'two-stage';

export interface TransformerOptions extends LayerOptions {
  readonly variant: Variant;
  readonly queries: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
}

/** One for every layer of the decoder; in two stages one more, for the tokens. */
export interface Heads {
  readonly classEmbed: readonly Linear[];
  readonly bboxEmbed: readonly Mlp[];
}

/** What a transformer predicts. */
export interface TransformerOutput {
  /** float32 [N, S, channels]. */
  readonly memory: tf.Tensor3D;
  /** Of each layer of the decoder, the last one's being the result. */
  readonly layers: readonly SetPrediction[];
  /** Of the tokens, in two stages: the first class stands for any object. */
  readonly tokens?: SetPrediction;
}

export const SINE: SineOptions = { temperature: 10000, offset: -0.5 };
const EPSILON = 1e-5;

class Decoder extends Module {
  readonly layers: DecoderLayer[];
  /** The detector's heads where references move, under a second name. */
  readonly bboxEmbed: readonly Mlp[] | undefined;
  readonly classEmbed: readonly Linear[] | undefined;

  constructor({ variant, decoderLayers, ...options }: TransformerOptions, { bboxEmbed, classEmbed }: Heads) {
    super();
    this.layers = Array.from({ length: decoderLayers }, () => new DecoderLayer(options, {}));
    this.bboxEmbed = variant === 'plain' ? undefined : bboxEmbed;
    this.classEmbed = variant === 'two-stage' ? classEmbed : undefined;
  }

  /** Every box is told from the reference that its layer started from; which is the box before where references move. */
  forward(start: Queries, memory: Memory, { bboxEmbed, classEmbed }: Heads, pass: ForwardPass): SetPrediction[] {
    let { content, references } = start;
    return this.layers.map((layer, i) => {
      content = layer.forward({ ...start, content, references }, memory, pass);
      const boxes = boxesFrom(references, bboxEmbed[i]!.forward(content), EPSILON);
      if (this.bboxEmbed !== undefined) references = withoutGradient(boxes);
      return { logits: classEmbed[i]!.forward(content), boxes };
    });
  }
}

export class DeformableTransformer extends Module {
  protected override readonly officialNames = { levelEmbedding: '' };
  readonly levelEmbedding: LevelEmbedding;
  readonly encoder: Encoder;
  readonly decoder: Decoder;
  /** Of queries that are learned. */
  readonly referencePoints: Linear | undefined;
  /** Of queries that are tokens. */
  readonly encOutput: Linear | undefined;
  readonly encOutputNorm: LayerNorm | undefined;
  readonly posTrans: Linear | undefined;
  readonly posTransNorm: LayerNorm | undefined;
  private readonly options: TransformerOptions;

  constructor(options: TransformerOptions, heads: Heads) {
    super();
    const { channels, levels, encoderLayers, variant } = options;
    this.levelEmbedding = new LevelEmbedding(levels, channels, {});
    this.encoder = new Encoder(encoderLayers, options, {});
    this.decoder = new Decoder(options, heads);
    this.options = options;
    if (variant === 'two-stage') {
      this.encOutput = transformerLinear(channels, channels);
      this.encOutputNorm = new LayerNorm(channels);
      this.posTrans = transformerLinear(2 * channels, 2 * channels);
      this.posTransNorm = new LayerNorm(2 * channels);
    } else {
      this.referencePoints = new Linear(channels, 2, { init: initializers.xavierUniform });
    }
  }

  /**
   * @param maps float32 [N, H, W, channels], finest first.
   * @param learned positions and contents of queries that are learned, float32 [Q, 2 channels].
   */
  forward(
    maps: readonly tf.Tensor4D[],
    canvas: Canvas,
    learned: tf.Tensor2D | undefined,
    heads: Heads,
    pass: ForwardPass,
  ): TransformerOutput {
    const levels = tokenLevels(maps, canvas, SINE);
    const memory = this.encoder.forward(tokensOf(maps), levels, this.levelEmbedding, pass).at(-1)!;
    const tokens =
      learned === undefined ? this.predictTokens(memory, tokenProposals(levels.paddings), heads) : undefined;
    const start = learned === undefined ? this.selectQueries(tokens!) : this.learnedQueries(learned, memory.shape[0]);
    const layers = this.decoder.forward(start, { ...levels, tokens: memory }, heads, pass);
    return { memory, layers, ...(tokens && { tokens }) };
  }

  /** The same queries for every image. */
  private learnedQueries(learned: tf.Tensor2D, images: number): Queries {
    const [position, content] = tf.split(learned, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
    const forAll = (x: tf.Tensor2D): tf.Tensor3D => tf.tile(tf.expandDims<tf.Tensor3D>(x, 0), [images, 1, 1]);
    const references = tf.sigmoid(this.referencePoints!.forward(position));
    return { position: forAll(position), content: forAll(content), references: forAll(references) };
  }

  /** Class and box of every token. */
  private predictTokens(
    memory: tf.Tensor3D,
    { boxes, valid }: ReturnType<typeof tokenProposals>,
    { classEmbed, bboxEmbed }: Heads,
  ): SetPrediction {
    const output = outputMemory(memory, valid, this.encOutput!, this.encOutputNorm!);
    const deltas = bboxEmbed.at(-1)!.forward(output);
    return { logits: classEmbed.at(-1)!.forward(output), boxes: tf.sigmoid(tf.add<tf.Tensor3D>(deltas, boxes)) };
  }

  /** The tokens that are most surely objects, as queries at their boxes. */
  private selectQueries({ logits, boxes }: SetPrediction): Queries {
    const { channels, queries } = this.options;
    const best = bestTokens(queries, () => tf.squeeze(tf.slice(logits, [0, 0, 0], [-1, -1, 1]), [2]));
    const references = withoutGradient(takeTokens(boxes, best));
    const code = sineCode(references, channels / 2, SINE.temperature);
    const embedded = this.posTransNorm!.forward(this.posTrans!.forward(code));
    const [position, content] = tf.split(embedded, 2, 2) as [tf.Tensor3D, tf.Tensor3D];
    return { position, content, references };
  }
}
