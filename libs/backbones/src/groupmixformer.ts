/**
 * GroupMixFormer (Ge et al. 2023, "Advancing Vision Transformers with Group-Mix Attention", arXiv 2311.15157), after
 * the configurations and weight names of AILab-CVC/GroupMixFormer.
 *
 * Deliberate differences: token maps stay [N, H, W, C] throughout, with queries, keys and values side by side instead
 * of stacked on the batch axis (their batch norms share statistics all the same); the grid of a stage is what its
 * patch embedding gives, so every image size works, not only multiples of 32.
 *
 * Shapes: N images, H x W cells, C channels of the stage, S = C / 5 channels of a segment, A = 4 S channels that attend.
 */
import * as tf from '@tensorflow/tfjs-core';
import { biasAdd, factorAttention, hardSwish } from '@pyramidal/kernels';
import {
  Backbone,
  BatchNorm,
  Classifier,
  Conv2d,
  DepthwiseConv2d,
  type ForwardPass,
  LayerNorm,
  type Level,
  LEVELS,
  type LevelSpec,
  Linear,
  Mlp,
  Module,
  type Pyramid,
  SeparableConv2d,
} from '@pyramidal/nn';
import { tokenWeights } from './attention-view';
import { RelativePositionEncoding } from './relative-position-encoding';
import type { BackboneFamily } from './family';
import {
  type BackboneSizes,
  checkSizes,
  hiddenWidth,
  linearRates,
  numberIn,
  pyramidLevels,
  splitInThree,
  type Stages,
  throughBlocks,
} from './stages';

export interface GroupMixFormerOptions extends BackboneSizes {
  /** Channels of C2, C3, C4, C5; multiples of 10. */
  readonly channels: Stages;
  readonly depths: Stages;
  readonly mlpRatios: Stages;
  /** Rises linearly from 0 at the first block. */
  readonly dropPath?: number;
}

const SEGMENTS = 5;
const HEADS = 8;
/** Widths that five segments and, of four of them, eight heads divide. */
const WIDTH_UNITS: Stages = [10, 10, 10, 10];
const SEGMENT_KERNELS = [3, 5, 7] as const;
const BLOCK_NORM = { epsilon: 1e-6 };

/** Two stride-2 convolutions: image -> [N, H / 4, W / 4, C]. */
class ConvStem extends Module {
  readonly proj1: Conv2d;
  readonly norm1: BatchNorm;
  readonly proj2: Conv2d;
  readonly norm2: BatchNorm;

  constructor(channels: number) {
    super();
    const half = channels / 2;
    this.proj1 = new Conv2d(3, half, 3, { stride: 2 });
    this.norm1 = new BatchNorm(half);
    this.proj2 = new Conv2d(half, channels, 3, { stride: 2 });
    this.norm2 = new BatchNorm(channels);
  }

  /** @param images float32 [N, H, W, 3]. @returns float32 [N, H / 4, W / 4, C], rounded up. */
  forward(images: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    const half = hardSwish(this.norm1.forward(this.proj1.forward(images), pass));
    return hardSwish(this.norm2.forward(this.proj2.forward(half), pass));
  }
}

/** A separable convolution that opens a stage: [N, H, W, C'] -> [N, H / stride, W / stride, C]. */
class PatchEmbed extends Module {
  readonly proj: SeparableConv2d;
  readonly norm: BatchNorm;

  constructor(inChannels: number, channels: number, stride: number) {
    super();
    this.proj = new SeparableConv2d(inChannels, channels, 3, { stride });
    this.norm = new BatchNorm(channels);
  }

  /** @param x float32 [N, H, W, C']. @returns float32 [N, H / stride, W / stride, C]. */
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    return hardSwish(this.norm.forward(this.proj.forward(x), pass));
  }
}

/** Conditional position encoding: a depthwise convolution added to its input. */
class PositionEncoding extends Module {
  readonly proj: DepthwiseConv2d;

  constructor(channels: number) {
    super();
    this.proj = new DepthwiseConv2d(channels, 3, { residual: true });
  }

  /** @param x float32 [N, H, W, C]. @returns the same shape. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return this.proj.forward(x);
  }
}

/** The segment that leaves attention: queries, keys and values mixed into one map. */
class NonAttentionBranch extends Module {
  readonly conv: SeparableConv2d;
  readonly norm: LayerNorm;

  constructor(segment: number) {
    super();
    this.conv = new SeparableConv2d(3 * segment, segment, 3);
    this.norm = new LayerNorm(segment);
  }

  /** @param x float32 [N, H, W, 3 S]. @returns float32 [N, H, W, S]. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return hardSwish(this.norm.forward(this.conv.forward(x)));
  }
}

/** The five channel segments of queries, keys and values, float32 [N, H, W, 3 S] each. */
type Segments = readonly [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];

/**
 * Mixes queries, keys and values before they meet (section 3.2): of five channel segments one stays as it is, three
 * are gathered over groups of 3, 5 and 7 cells, one leaves attention.
 */
class Aggregator extends Module {
  readonly norm0: BatchNorm;
  readonly agg1: SeparableConv2d;
  readonly norm1: BatchNorm;
  readonly agg2: SeparableConv2d;
  readonly norm2: BatchNorm;
  readonly agg3: SeparableConv2d;
  readonly norm3: BatchNorm;
  readonly agg0: NonAttentionBranch;

  constructor(private readonly segment: number) {
    super();
    const [small, middle, large] = SEGMENT_KERNELS;
    this.norm0 = new BatchNorm(segment);
    this.agg1 = new SeparableConv2d(segment, segment, small);
    this.norm1 = new BatchNorm(segment);
    this.agg2 = new SeparableConv2d(segment, segment, middle);
    this.norm2 = new BatchNorm(segment);
    this.agg3 = new SeparableConv2d(segment, segment, large);
    this.norm3 = new BatchNorm(segment);
    this.agg0 = new NonAttentionBranch(segment);
  }

  /**
   * @param segments five of float32 [N, H, W, 3 S], each a share of queries, keys and values.
   * @returns queries, keys and values side by side, float32 [N, H W, 3 A], and the fifth segment's map, float32 [N, H, W, S].
   */
  forward(segments: readonly tf.Tensor4D[], pass: ForwardPass): { qkv: tf.Tensor3D; aside: tf.Tensor4D } {
    const [same, small, middle, large, aside] = segments as Segments;
    const [n, height, width] = same.shape;
    const mixed = [
      this.norm0.forward(this.apart(same), pass),
      this.gather(small, this.agg1, this.norm1, pass),
      this.gather(middle, this.agg2, this.norm2, pass),
      this.gather(large, this.agg3, this.norm3, pass),
    ];
    const active = hardSwish(tf.concat(mixed, 3));
    const qkv: tf.Tensor3D = tf.reshape(active, [n, height * width, 3 * mixed.length * this.segment]);
    return { qkv, aside: this.agg0.forward(aside) };
  }

  private gather(x: tf.Tensor4D, conv: SeparableConv2d, norm: BatchNorm, pass: ForwardPass): tf.Tensor4D {
    const gathered = this.apart(conv.conv1.forward(x));
    return norm.forward(conv.pointwiseConv.forward(gathered), pass);
  }

  /** [N, H, W, 3 S] -> [N, H, 3 W, S]: queries, keys and values go through the same weights and statistics. */
  private apart(x: tf.Tensor4D): tf.Tensor4D {
    const [n, height, width] = x.shape;
    return tf.reshape(x, [n, height, 3 * width, this.segment]);
  }
}

/** Group-mix attention: mixed queries, keys and values meet in factorised attention with relative positions. */
class GroupMixAttention extends Module {
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly aggregator: Aggregator;
  readonly crpe: RelativePositionEncoding;
  private readonly scale: number;

  constructor(channels: number) {
    super();
    const segment = channels / SEGMENTS;
    this.qkv = new Linear(channels, 3 * channels);
    this.proj = new Linear(channels, channels);
    this.aggregator = new Aggregator(segment);
    this.crpe = new RelativePositionEncoding((SEGMENTS - 1) * segment);
    // The official code scales by an eighth of the full width, rounded down, although a head has only four fifths of it.
    this.scale = Math.floor(channels / HEADS) ** -0.5;
  }

  /** @param x float32 [N, H, W, C]. @returns the same shape. */
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    const [n, height, width] = x.shape;
    const { qkv, aside } = this.aggregator.forward(this.project(x), pass);
    const toMap = (tokens: tf.Tensor3D): tf.Tensor4D => tf.reshape(tokens, [n, height, width, -1]);
    pass.showAttention(this, () => {
      const weights = tokenWeights(splitInThree(qkv)[1]);
      return { weights, map: toMap(weights) };
    });
    const attended = factorAttention(qkv, {
      heads: HEADS,
      scale: this.scale,
      positions: (tokens, first) => tf.reshape(this.crpe.forward(toMap(tokens), first), [n, height * width, -1]),
    });
    return this.proj.forward(tf.concat([toMap(attended), aside], 3));
  }

  /** Queries, keys and values of each segment, float32 [N, H, W, 3 S]: splitting the weights spares splitting the map. */
  private project(x: tf.Tensor4D): tf.Tensor4D[] {
    const [n, height, width, channels] = x.shape;
    const rows = tf.reshape(x, [-1, channels]);
    const weights = tf.split(tf.reshape(this.qkv.weight.value(), [channels, 3, channels]), SEGMENTS, 2);
    const biases = tf.split(tf.reshape(this.qkv.bias!.value(), [3, channels]), SEGMENTS, 1);
    return weights.map((weight, segment) => {
      const product = tf.matMul(rows, tf.reshape(weight, [channels, -1]));
      return tf.reshape(biasAdd(product, tf.reshape(biases[segment]!, [-1])), [n, height, width, -1]);
    });
  }
}

class Block extends Module {
  readonly cpe: PositionEncoding;
  readonly norm1: LayerNorm;
  readonly att: GroupMixAttention;
  readonly norm2: LayerNorm;
  readonly mlp: Mlp;

  constructor(
    channels: number,
    mlpRatio: number,
    private readonly dropPath: number,
  ) {
    super();
    this.cpe = new PositionEncoding(channels);
    this.norm1 = new LayerNorm(channels, BLOCK_NORM);
    this.att = new GroupMixAttention(channels);
    this.norm2 = new LayerNorm(channels, BLOCK_NORM);
    this.mlp = new Mlp(channels, hiddenWidth(channels, mlpRatio));
  }

  /** @param input float32 [N, H, W, C]. @returns the same shape. */
  forward(input: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    const x = this.cpe.forward(input);
    const attended = pass.dropPath(this.att.forward(this.norm1.forward(x), pass), this.dropPath);
    const y = tf.add<tf.Tensor4D>(x, attended);
    return tf.add(y, pass.dropPath(this.mlp.forward(this.norm2.forward(y), pass), this.dropPath));
  }
}

class Stage extends Module {
  readonly gmaStage: Block[];

  constructor(channels: number, mlpRatio: number, dropPaths: readonly number[]) {
    super();
    this.gmaStage = dropPaths.map((rate) => new Block(channels, mlpRatio, rate));
  }

  /** @param x float32 [N, H, W, C]. @returns the same shape. */
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    return throughBlocks(this.gmaStage, x, pass);
  }
}

/** The pyramid: C2..C5 are the maps after the four stages, without a norm. */
export class GroupMixFormer extends Backbone {
  readonly levels: Readonly<Record<Level, LevelSpec>>;
  readonly convStem: ConvStem;
  readonly patchEmbedLayers: PatchEmbed[];
  readonly groupmixformerBackbone: Stage[];

  constructor({ channels, depths, mlpRatios, dropPath = 0 }: GroupMixFormerOptions) {
    super();
    checkSizes('GroupMixFormer', { channels, depths, mlpRatios, dropPath }, WIDTH_UNITS);
    this.levels = pyramidLevels(channels);
    this.convStem = new ConvStem(channels[0]);
    this.patchEmbedLayers = channels.map((width, stage) => {
      return stage === 0 ? new PatchEmbed(width, width, 1) : new PatchEmbed(channels[stage - 1]!, width, 2);
    });
    const rates = linearRates(depths, dropPath);
    this.groupmixformerBackbone = channels.map((width, stage) => new Stage(width, mlpRatios[stage]!, rates[stage]!));
  }

  /** @param images float32 [N, H, W, 3]. @returns float32 [N, h, w, C] of C2 to C5. */
  forward(images: tf.Tensor4D, pass: ForwardPass): Pyramid {
    return tf.tidy(() => {
      let map = this.convStem.forward(images, pass);
      const [C2, C3, C4, C5] = this.groupmixformerBackbone.map((stage, index) => {
        map = stage.forward(this.patchEmbedLayers[index]!.forward(map, pass), pass);
        return map;
      });
      return { C2: C2!, C3: C3!, C4: C4!, C5: C5! };
    });
  }

  protected stageOf(name: string): number {
    return 1 + (numberIn(name, /^[a-z_]+\.(\d)/) ?? -1); // conv_stem, then patch_embed_layers.0, ..
  }

  attentionMultiplyAdds(height: number, width: number): number {
    const sizes = this.mapSizes(height, width);
    const perStage = LEVELS.map((level, stage) => {
      const cells = sizes[level][0] * sizes[level][1];
      const attending = (this.levels[level].channels * (SEGMENTS - 1)) / SEGMENTS;
      return this.groupmixformerBackbone[stage]!.gmaStage.length * 2 * cells * attending * (attending / HEADS);
    });
    return perStage.reduce((sum, count) => sum + count, 0);
  }
}

/** The backbone with the official classification head: batch norm, mean over cells, linear. */
class GroupMixFormerClassifier extends Classifier {
  protected override readonly officialNames = { backbone: '' };
  readonly norm4: BatchNorm;
  readonly head: Linear;

  constructor(
    readonly backbone: GroupMixFormer,
    readonly classes: number,
  ) {
    super();
    const { channels } = backbone.levels.C5;
    this.norm4 = new BatchNorm(channels);
    this.head = new Linear(channels, classes);
  }

  classify({ C5 }: Pyramid, pass: ForwardPass): tf.Tensor2D {
    return tf.tidy(() => this.head.forward(tf.mean<tf.Tensor2D>(this.norm4.forward(C5, pass), [1, 2])));
  }
}

/** The official sizes; miny is the paper's M. Drop path as in the official training recipes. */
export const groupMixFormer = {
  variants: {
    groupmixformer_miny: {
      channels: [40, 80, 160, 160],
      depths: [3, 3, 12, 4],
      mlpRatios: [4, 4, 4, 4],
      dropPath: 0.1,
    },
    groupmixformer_tiny: {
      channels: [80, 160, 200, 240],
      depths: [4, 4, 12, 4],
      mlpRatios: [4, 4, 4, 4],
      dropPath: 0.1,
    },
    groupmixformer_small: {
      channels: [80, 160, 320, 320],
      depths: [2, 4, 12, 4],
      mlpRatios: [4, 4, 4, 4],
      dropPath: 0.2,
    },
    groupmixformer_base: {
      channels: [200, 240, 320, 480],
      depths: [8, 8, 12, 8],
      mlpRatios: [2, 2, 4, 4],
      dropPath: 0.5,
    },
    groupmixformer_large: {
      channels: [240, 320, 360, 480],
      depths: [8, 10, 30, 10],
      mlpRatios: [4, 4, 2, 2],
      dropPath: 0.1,
    },
  },
  create: (options) => new GroupMixFormer(options),
  createClassifier: (options, classes) => new GroupMixFormerClassifier(new GroupMixFormer(options), classes),
  blockWeights: /^groupmixformer_backbone\.(\d)\.gma_stage\.(\d+)\.mlp\.fc1\.weight$/,
} as const satisfies BackboneFamily<GroupMixFormerOptions>;
