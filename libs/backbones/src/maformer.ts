/**
 * MAFormer (Wang et al. 2022, "MAFormer: A Transformer Network with Multi-scale Attention Fusion for Visual
 * Recognition", arXiv 2209.01620). Its authors published no code and no weights: this is our reading of the paper.
 * Where it leaves a choice, ours is:
 *
 * - Patch embedding: a 4x4 convolution of stride 4 and a LayerNorm. Patch merging: LayerNorm, then a 2x2 convolution of
 *   stride 2. Both pad the bottom and right with zeros, so sizes round up.
 * - Stages 1 and 2 are MAF blocks, stages 3 and 4 plain pre-norm transformer blocks that attend to all cells.
 * - Local stream: multi-head attention inside windows of 7x7 that neither overlap nor shift, its projection included.
 *   Padding at the border is masked.
 * - Global learning with down-sampling: a learned position embedding, resized bilinearly to the map, is added to it;
 *   one fully connected layer over the flattened cells, with bias and shared by all channels, leaves half as many tokens.
 * - That layer belongs to one grid of cells, the map's at 224x224 pixels. Maps of other sizes are resized to that grid
 *   bilinearly (half-pixel centres, no antialiasing) before it, so any image size works and costs the same tokens.
 * - Fusion: queries are a linear map of the local tokens, keys and values of the global ones; softmax attention,
 *   projection, residual from the block's input, then the feed-forward part. `globalFrom: 'local'` feeds the global
 *   stream from the local one, the paper's other fusion.
 * - Heads are 32 channels wide, MLPs four times as wide as the map, LayerNorms have epsilon 1e-6, all linear layers
 *   biases. The pyramid is unnormed; the classifier has LayerNorm, mean over cells, linear.
 * - Widths, depths and drop path are chosen to meet the published parameter counts (23M, 53M and 105M).
 *
 * Shapes: N images, H x W cells, C channels of the stage, T = H W tokens, G global tokens.
 */
import * as tf from '@tensorflow/tfjs-core';
import { resizeBilinear } from '@pyramidal/kernels';
import {
  Backbone,
  Classifier,
  Conv2d,
  type ForwardPass,
  initializers,
  LayerNorm,
  type Level,
  LEVELS,
  type LevelSpec,
  Linear,
  type MapSize,
  Mlp,
  Module,
  Parameter,
  type Pyramid,
  softmaxAttention,
} from '@pyramidal/nn';
import { averageOverQueries } from './attention-view';
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
import { cutWindows, fromWindows, paddingMask, toWindows } from './windows';

interface MaFormerOptions extends BackboneSizes {
  /** Channels of C2, C3, C4, C5; multiples of 32. */
  readonly channels: Stages;
  readonly depths: Stages;
  readonly mlpRatios: Stages;
  /** What the global stream sees: the block's input or the local stream. */
  readonly globalFrom?: 'input' | 'local';
  /** Rises linearly from 0 at the first block. */
  readonly dropPath?: number;
}

const HEAD_CHANNELS = 32;
const WIDTH_UNITS: Stages = [HEAD_CHANNELS, HEAD_CHANNELS, HEAD_CHANNELS, HEAD_CHANNELS];
const WINDOW = 7;
/** Pixels of the image whose maps the token layers are learned on. */
const BASE_IMAGE = 224;
const DOWN_SAMPLING = 0.5;
const FUSION_STAGES = 2;
const NORM = { epsilon: 1e-6 };

/** Brings a map into patches of `side` x `side` cells: [N, H, W, C'] -> [N, ceil(H / side), ceil(W / side), C]. */
function patches(x: tf.Tensor4D, conv: Conv2d): tf.Tensor4D {
  const { kernel: side } = conv;
  const missing = (size: number): number => Math.ceil(size / side) * side - size;
  const padded = tf.pad(x, [
    [0, 0],
    [0, missing(x.shape[1])],
    [0, missing(x.shape[2])],
    [0, 0],
  ]);
  return conv.forward(padded);
}

class PatchEmbed extends Module {
  readonly proj: Conv2d;
  readonly norm: LayerNorm;

  constructor(channels: number) {
    super();
    this.proj = new Conv2d(3, channels, 4, { stride: 4, padding: 0 });
    this.norm = new LayerNorm(channels, NORM);
  }

  /** @param images float32 [N, H, W, 3]. @returns float32 [N, H / 4, W / 4, C], rounded up. */
  forward(images: tf.Tensor4D): tf.Tensor4D {
    return this.norm.forward(patches(images, this.proj));
  }
}

class PatchMerging extends Module {
  readonly norm: LayerNorm;
  readonly reduction: Conv2d;

  constructor(inChannels: number, channels: number) {
    super();
    this.norm = new LayerNorm(inChannels, NORM);
    this.reduction = new Conv2d(inChannels, channels, 2, { stride: 2, padding: 0, bias: false });
  }

  /** @param x float32 [N, H, W, C']. @returns float32 [N, H / 2, W / 2, C], rounded up. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return patches(this.norm.forward(x), this.reduction);
  }
}

/** How a map was brought into rows of tokens. */
interface TokenLayout {
  readonly mask?: tf.Tensor4D | undefined;
  readonly toMap: (rows: tf.Tensor3D) => tf.Tensor4D;
}

/** Share of a window that is no padding: the fewer its cells, the more each of them gets. */
function visibleShare(mask: tf.Tensor4D | undefined): tf.Tensor3D | number {
  return mask === undefined ? 1 : tf.mean<tf.Tensor3D>(tf.exp(mask), 3);
}

/** Multi-head self-attention: inside windows of `window` x `window` cells, or over the whole map without. */
export class SelfAttention extends Module {
  readonly qkv: Linear;
  readonly proj: Linear;

  constructor(
    channels: number,
    private readonly heads: number,
    private readonly window?: number,
  ) {
    super();
    this.qkv = new Linear(channels, 3 * channels);
    this.proj = new Linear(channels, channels);
  }

  /** @param x float32 [N, H, W, C]. @returns the same shape. */
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    const [n, height, width, channels] = x.shape;
    if (this.window === undefined) {
      const tokens = tf.reshape<tf.Rank.R3>(x, [n, height * width, channels]);
      return this.attend(tokens, { toMap: (rows) => tf.reshape(rows, [n, height, width, -1]) }, pass);
    }
    const windows = cutWindows(height, width, this.window);
    const mask = paddingMask(windows, n);
    return this.attend(toWindows(x, windows), { mask, toMap: (rows) => fromWindows(rows, windows) }, pass);
  }

  private attend(tokens: tf.Tensor3D, { mask, toMap }: TokenLayout, pass: ForwardPass): tf.Tensor4D {
    const [queries, keys, values] = splitInThree(this.qkv.forward(tokens));
    const attended = softmaxAttention(queries, keys, values, {
      heads: this.heads,
      mask,
      onWeights: pass.ifWatched((weights) => {
        const received = (): tf.Tensor3D => tf.mul(averageOverQueries(weights), visibleShare(mask));
        pass.showAttention(this, () => ({ weights, map: toMap(received()) }));
      }),
    });
    return toMap(this.proj.forward(attended));
  }
}

/** Global learning with down-sampling (GLD): few tokens, each a learned sum over the whole map. */
class GlobalLearning extends Module {
  readonly positions: Parameter;
  readonly tokens: Linear;
  private readonly grid: MapSize;

  /** @param grid cells of the map that the token layer is learned on. */
  constructor(channels: number, grid: MapSize) {
    super();
    const [height, width] = grid;
    this.positions = new Parameter({
      shape: [1, height, width, channels],
      init: initializers.truncatedNormal(0.02),
      decay: false,
    });
    this.tokens = new Linear(height * width, Math.floor(height * width * DOWN_SAMPLING));
    this.grid = grid;
  }

  /** @param x float32 [N, H, W, C]. @returns float32 [N, G, C]. */
  forward(x: tf.Tensor4D): tf.Tensor3D {
    const [n, height, width, channels] = x.shape;
    const positions = resized(this.positions.value<tf.Rank.R4>(), [height, width]);
    const map = resized(tf.add<tf.Tensor4D>(x, positions), this.grid);
    const flat = tf.reshape<tf.Rank.R3>(map, [n, this.tokens.inFeatures, channels]);
    return tf.transpose(this.tokens.forward(tf.transpose(flat, [0, 2, 1])), [0, 2, 1]);
  }

  /**
   * How much each cell counts where the tokens count so much: their sums' weights, whatever their sign.
   * @param weights float32 [N, heads, G]. @returns float32 [N, H, W, heads].
   */
  cellsOf(weights: tf.Tensor3D, size: MapSize): tf.Tensor4D {
    const [n, heads] = weights.shape;
    const cells = tf.matMul(tf.reshape(weights, [n * heads, -1]), tf.abs(this.tokens.weight.value()), false, true);
    const maps = tf.transpose(tf.reshape(cells, [n, heads, ...this.grid]), [0, 2, 3, 1]);
    return resized(maps as tf.Tensor4D, size);
  }
}

interface FusionOptions {
  readonly channels: number;
  readonly heads: number;
  readonly window: number;
  readonly grid: MapSize;
  readonly globalFrom: 'input' | 'local';
}

/** Multi-scale attention fusion (MAF): local tokens ask, global tokens answer. */
export class AttentionFusion extends Module {
  readonly local: SelfAttention;
  readonly global: GlobalLearning;
  readonly q: Linear;
  readonly kv: Linear;
  readonly proj: Linear;
  private readonly heads: number;
  private readonly globalFrom: 'input' | 'local';

  constructor({ channels, heads, window, grid, globalFrom }: FusionOptions) {
    super();
    this.local = new SelfAttention(channels, heads, window);
    this.global = new GlobalLearning(channels, grid);
    this.q = new Linear(channels, channels);
    this.kv = new Linear(channels, 2 * channels);
    this.proj = new Linear(channels, channels);
    this.heads = heads;
    this.globalFrom = globalFrom;
  }

  /** @param x float32 [N, H, W, C]. @returns the same shape. */
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    const [n, height, width, channels] = x.shape;
    const local = this.local.forward(x, pass);
    const global = this.global.forward(this.globalFrom === 'input' ? x : local);
    const queries = tf.reshape<tf.Rank.R3>(this.q.forward(local), [n, height * width, channels]);
    const [keys, values] = tf.split<tf.Tensor3D>(this.kv.forward(global), 2, 2) as [tf.Tensor3D, tf.Tensor3D];
    const fused = softmaxAttention(queries, keys, values, {
      heads: this.heads,
      onWeights: pass.ifWatched((weights) => {
        const cells = (): tf.Tensor4D => this.global.cellsOf(tf.mean(weights, 2), [height, width]);
        pass.showAttention(this, () => ({ weights, map: cells() }));
      }),
    });
    return tf.reshape(this.proj.forward(fused), [n, height, width, channels]);
  }
}

/** A pre-norm transformer block around either kind of attention. */
class Block extends Module {
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly mlp: Mlp;

  constructor(
    readonly attn: SelfAttention | AttentionFusion,
    channels: number,
    mlpRatio: number,
    private readonly dropPath: number,
  ) {
    super();
    this.norm1 = new LayerNorm(channels, NORM);
    this.norm2 = new LayerNorm(channels, NORM);
    this.mlp = new Mlp(channels, hiddenWidth(channels, mlpRatio));
  }

  /** @param x float32 [N, H, W, C]. @returns the same shape. */
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    const attended = pass.dropPath(this.attn.forward(this.norm1.forward(x), pass), this.dropPath);
    const y = tf.add<tf.Tensor4D>(x, attended);
    return tf.add(y, pass.dropPath(this.mlp.forward(this.norm2.forward(y), pass), this.dropPath));
  }
}

class Stage extends Module {
  constructor(
    readonly patches: PatchEmbed | PatchMerging,
    readonly blocks: readonly Block[],
  ) {
    super();
  }

  /** @param x float32 [N, H, W, C'], images or the map before. @returns float32 [N, h, w, C]. */
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    return throughBlocks(this.blocks, this.patches.forward(x), pass);
  }
}

type FourMaps = [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];

/** The pyramid: C2..C5 are the maps after the four stages, without a norm. */
export class MaFormer extends Backbone {
  readonly levels: Readonly<Record<Level, LevelSpec>>;
  readonly stages: Stage[];

  constructor({ channels, depths, mlpRatios, globalFrom = 'input', dropPath = 0 }: MaFormerOptions) {
    super();
    checkSizes('MAFormer', { channels, depths, mlpRatios, dropPath }, WIDTH_UNITS);
    this.levels = pyramidLevels(channels);
    const rates = linearRates(depths, dropPath);
    const baseGrids = this.mapSizes(BASE_IMAGE, BASE_IMAGE);
    this.stages = LEVELS.map((level, stage) => {
      const width = channels[stage]!;
      const heads = width / HEAD_CHANNELS;
      const attention = (): SelfAttention | AttentionFusion => {
        if (stage >= FUSION_STAGES) return new SelfAttention(width, heads);
        return new AttentionFusion({ channels: width, heads, window: WINDOW, grid: baseGrids[level], globalFrom });
      };
      const blocks = rates[stage]!.map((rate) => new Block(attention(), width, mlpRatios[stage]!, rate));
      return new Stage(stage === 0 ? new PatchEmbed(width) : new PatchMerging(channels[stage - 1]!, width), blocks);
    });
  }

  /** @param images float32 [N, H, W, 3]. @returns float32 [N, h, w, C] of C2 to C5. */
  forward(images: tf.Tensor4D, pass: ForwardPass): Pyramid {
    return tf.tidy(() => {
      let map = images;
      const maps = this.stages.map((stage) => (map = stage.forward(map, pass)));
      const [C2, C3, C4, C5] = maps as FourMaps;
      return { C2, C3, C4, C5 };
    });
  }

  protected stageOf(name: string): number {
    return 1 + numberIn(name, /^stages\.(\d)/)!;
  }

  attentionMultiplyAdds(height: number, width: number): number {
    const sizes = this.mapSizes(height, width);
    const baseGrids = this.mapSizes(BASE_IMAGE, BASE_IMAGE);
    return LEVELS.reduce((sum, level, stage) => {
      const cells = area(sizes[level]);
      const { rows, columns, side } = cutWindows(...sizes[level], WINDOW);
      const fused = rows * columns * side ** 4 + cells * Math.floor(area(baseGrids[level]) * DOWN_SAMPLING);
      const pairs = stage < FUSION_STAGES ? fused : cells ** 2;
      return sum + this.stages[stage]!.blocks.length * 2 * pairs * this.levels[level].channels;
    }, 0);
  }
}

/** The backbone with a classification head: LayerNorm, mean over cells, linear. */
export class MaFormerClassifier extends Classifier {
  protected override readonly officialNames = { backbone: '' };
  readonly norm4: LayerNorm;
  readonly head: Linear;

  constructor(
    readonly backbone: MaFormer,
    readonly classes: number,
  ) {
    super();
    const { channels } = backbone.levels.C5;
    this.norm4 = new LayerNorm(channels, NORM);
    this.head = new Linear(channels, classes);
  }

  classify({ C5 }: Pyramid): tf.Tensor2D {
    return tf.tidy(() => this.head.forward(tf.mean<tf.Tensor2D>(this.norm4.forward(C5), [1, 2])));
  }
}

/** Sizes of 23M, 53M and 104M parameters with 1000 classes. */
export const maFormer = {
  variants: {
    maformer_small: {
      channels: [64, 128, 256, 512],
      depths: [1, 2, 11, 2],
      mlpRatios: [4, 4, 4, 4],
      dropPath: 0.1,
    },
    maformer_base: {
      channels: [96, 192, 384, 768],
      depths: [1, 2, 16, 2],
      mlpRatios: [4, 4, 4, 4],
      dropPath: 0.3,
    },
    maformer_large: {
      channels: [128, 256, 512, 1024],
      depths: [1, 2, 21, 2],
      mlpRatios: [4, 4, 4, 4],
      dropPath: 0.4,
    },
  },
  create: (options) => new MaFormer(options),
  createClassifier: (options, classes) => new MaFormerClassifier(new MaFormer(options), classes),
  blockWeights: /^stages\.(\d)\.blocks\.(\d+)\.mlp\.fc1\.weight$/,
} as const satisfies BackboneFamily<MaFormerOptions>;

const area = ([height, width]: MapSize): number => height * width;

function resized(map: tf.Tensor4D, size: MapSize): tf.Tensor4D {
  const same = map.shape[1] === size[0] && map.shape[2] === size[1];
  return same ? map : resizeBilinear(map, size, { alignCorners: false });
}
