/**
 * SMT (Lin et al. 2023, "Scale-Aware Modulation Meet Transformer", arXiv 2307.08579), after the configurations and
 * weight names of AFeng-x/SMT.
 *
 * Deliberate differences: token maps stay [N, H, W, C] throughout; the interleaving of the heads before the grouped
 * convolution is part of its product; drop path acts on samples, as in the official classifier (the official detection
 * copy drops single elements).
 *
 * Shapes: N images, H x W cells, C channels of the stage, T = H W tokens.
 */
import * as tf from '@tensorflow/tfjs-core';
import { gelu, groupedProduct } from '@pyramidal/kernels';
import {
  Backbone,
  BatchNorm,
  Conv2d,
  type ConvOptions,
  DepthwiseConv2d,
  type ForwardPass,
  initializers,
  LayerNorm,
  type Level,
  type LevelSpec,
  LEVELS,
  Linear,
  type MapSize,
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
  type Stages,
  throughBlocks,
} from './stages';

export interface SmtOptions extends BackboneSizes {
  /** Channels of C2, C3, C4, C5; multiples of 4, 4, 8, 16 (the heads). */
  readonly channels: Stages;
  readonly depths: Stages;
  readonly mlpRatios: Stages;
  /** Kernel of the first convolution. */
  readonly stemKernel: 3 | 7;
  /** Learned scale of every residual branch's channels, from 1e-4 on. */
  readonly layerScale?: boolean;
  /** Rises linearly from 0 at the first block. */
  readonly dropPath?: number;
}

const MODULATION_HEADS = 4;
const EXPANSION = 2;
/** Heads of a stage's attention blocks: none in the first two, every other block in the third. */
const ATTENTION_HEADS: Stages<number | undefined> = [undefined, undefined, 8, 16];
/** Widths that the heads of each stage divide, of modulation and of attention. */
const WIDTH_UNITS: Stages = [4, 4, 8, 16];
const LAYER_SCALE = 1e-4;
const NORM = { epsilon: 1e-6 };

const denseConv = (inputs: number, outputs: number, kernel: number, options: ConvOptions = {}): Conv2d =>
  new Conv2d(inputs, outputs, kernel, { init: initializers.fanOutNormal(), ...options });
const depthwiseConv = (channels: number, kernel: number, { residual = false } = {}): DepthwiseConv2d =>
  new DepthwiseConv2d(channels, kernel, { init: initializers.fanOutNormal(channels), residual });

/** Opens the first stage: [N, H, W, 3] -> [N, floor(ceil(H / 2) / 2), ..., C]. */
class Stem extends Module {
  readonly conv: readonly [Conv2d, BatchNorm, undefined, Conv2d];
  readonly norm: LayerNorm;

  constructor(channels: number, kernel: number) {
    super();
    this.conv = [
      denseConv(3, channels, kernel, { stride: 2, bias: false }),
      new BatchNorm(channels),
      undefined, // ReLU
      denseConv(channels, channels, 2, { stride: 2, padding: 0 }),
    ];
    this.norm = new LayerNorm(channels);
  }

  /** @param images float32 [N, H, W, 3]. @returns float32 [N, H / 4, W / 4, C]. */
  forward(images: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    const [conv, batchNorm, , reduce] = this.conv;
    const half = tf.relu(batchNorm.forward(conv.forward(images), pass));
    return this.norm.forward(reduce.forward(half));
  }
}

/** Opens the other stages: [N, H, W, C'] -> [N, ceil(H / 2), ceil(W / 2), C]. */
class PatchEmbed extends Module {
  readonly proj: Conv2d;
  readonly norm: LayerNorm;

  constructor(inChannels: number, channels: number) {
    super();
    this.proj = denseConv(inChannels, channels, 3, { stride: 2 });
    this.norm = new LayerNorm(channels);
  }

  /** @param x float32 [N, H, W, C']. @returns float32 [N, H / 2, W / 2, C], rounded up. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return this.norm.forward(this.proj.forward(x));
  }
}

/**
 * Mixes the heads channel by channel: the n-th channels of all heads together give the n-th group of outputs, each
 * group with weights of its own.
 */
class HeadMixer extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(channels: number) {
    super();
    const groups = channels / MODULATION_HEADS;
    this.weight = new Parameter({
      shape: [groups, MODULATION_HEADS * EXPANSION, MODULATION_HEADS],
      layout: 'grouped',
      init: initializers.fanOutNormal(groups),
    });
    this.bias = new Parameter({ shape: [channels * EXPANSION], init: initializers.zeros });
  }

  /** @param x float32 [N, H, W, C], head beside head. @returns float32 [N, H, W, 2 C]. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return groupedProduct(x, this.weight.value<tf.Rank.R3>(), this.bias.value());
  }
}

/** Scale-aware modulation (section 3.1): heads that see 3 to 9 cells, mixed, modulate the values. */
class Modulation extends Module {
  protected override readonly officialNames = {
    localConv1: 'local_conv_1',
    localConv2: 'local_conv_2',
    localConv3: 'local_conv_3',
    localConv4: 'local_conv_4',
  };
  readonly proj: Linear;
  readonly v: Linear;
  readonly s: Linear;
  readonly localConv1: DepthwiseConv2d;
  readonly localConv2: DepthwiseConv2d;
  readonly localConv3: DepthwiseConv2d;
  readonly localConv4: DepthwiseConv2d;
  readonly proj0: HeadMixer;
  readonly bn: BatchNorm;
  readonly proj1: Conv2d;

  constructor(channels: number) {
    super();
    const head = channels / MODULATION_HEADS;
    this.proj = new Linear(channels, channels);
    this.v = new Linear(channels, channels);
    this.s = new Linear(channels, channels);
    this.localConv1 = depthwiseConv(head, 3);
    this.localConv2 = depthwiseConv(head, 5);
    this.localConv3 = depthwiseConv(head, 7);
    this.localConv4 = depthwiseConv(head, 9);
    this.proj0 = new HeadMixer(channels);
    this.bn = new BatchNorm(channels * EXPANSION);
    this.proj1 = denseConv(channels * EXPANSION, channels, 1);
  }

  /** @param x float32 [N, H, W, C]. @returns the same shape. */
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    const convs = [this.localConv1, this.localConv2, this.localConv3, this.localConv4];
    const scales = DepthwiseConv2d.sideBySide(convs, this.s.forward(x));
    const mixed = gelu(this.bn.forward(this.proj0.forward(scales), pass));
    const modulator = this.proj1.forward(mixed);
    pass.showAttention(this, () => ({ weights: modulator, map: tf.abs(modulator) }));
    return this.proj.forward(tf.mul(modulator, this.v.forward(x)));
  }
}

/** Softmax attention over all cells, with a depthwise convolution of the values added. */
class Attention extends Module {
  readonly proj: Linear;
  readonly q: Linear;
  readonly kv: Linear;
  readonly localConv: DepthwiseConv2d;

  constructor(
    channels: number,
    private readonly heads: number,
  ) {
    super();
    this.proj = new Linear(channels, channels);
    this.q = new Linear(channels, channels);
    this.kv = new Linear(channels, 2 * channels);
    this.localConv = depthwiseConv(channels, 3);
  }

  /** @param x float32 [N, H, W, C]. @returns the same shape. */
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    const [n, height, width, channels] = x.shape;
    const tokens = (map: tf.Tensor): tf.Tensor3D => tf.reshape(map, [n, height * width, channels]);
    const toMap = (rows: tf.Tensor): tf.Tensor4D => tf.reshape(rows, [n, height, width, -1]);
    const [keys, values] = tf.split(this.kv.forward(x), 2, 3) as [tf.Tensor4D, tf.Tensor4D];
    const attended = softmaxAttention(tokens(this.q.forward(x)), tokens(keys), tokens(values), {
      heads: this.heads,
      onWeights: pass.ifWatched((weights) => {
        pass.showAttention(this, () => ({ weights, map: toMap(averageOverQueries(weights)) }));
      }),
    });
    return this.proj.forward(tf.add<tf.Tensor4D>(toMap(attended), this.localConv.forward(values)));
  }
}

/** The feed-forward part, with a depthwise convolution added before the activation. */
class ConvMlp extends Module {
  protected override readonly officialNames = { dwconv: 'dwconv.dwconv' };
  readonly fc1: Linear;
  readonly dwconv: DepthwiseConv2d;
  readonly fc2: Linear;

  constructor(channels: number, hidden: number) {
    super();
    this.fc1 = new Linear(channels, hidden);
    this.dwconv = depthwiseConv(hidden, 3, { residual: true });
    this.fc2 = new Linear(hidden, channels);
  }

  /** @param x float32 [N, H, W, C]. @returns the same shape. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return this.fc2.forward(gelu(this.dwconv.forward(this.fc1.forward(x))));
  }
}

interface BlockOptions {
  readonly channels: number;
  readonly mlpRatio: number;
  readonly layerScale: boolean;
  readonly dropPath: number;
  /** Heads of an attention block; a modulation block has none. */
  readonly attentionHeads: number | undefined;
}

class Block extends Module {
  protected override readonly officialNames = { gamma1: 'gamma_1', gamma2: 'gamma_2' };
  readonly gamma1: Parameter | undefined;
  readonly gamma2: Parameter | undefined;
  readonly norm1: LayerNorm;
  readonly attn: Modulation | Attention;
  readonly norm2: LayerNorm;
  readonly mlp: ConvMlp;
  private readonly dropPath: number;

  constructor({ channels, mlpRatio, layerScale, dropPath, attentionHeads }: BlockOptions) {
    super();
    const gamma = (): Parameter => new Parameter({ shape: [channels], init: initializers.constant(LAYER_SCALE) });
    this.gamma1 = layerScale ? gamma() : undefined;
    this.gamma2 = layerScale ? gamma() : undefined;
    this.norm1 = new LayerNorm(channels, NORM);
    this.attn = attentionHeads === undefined ? new Modulation(channels) : new Attention(channels, attentionHeads);
    this.norm2 = new LayerNorm(channels, NORM);
    this.mlp = new ConvMlp(channels, hiddenWidth(channels, mlpRatio));
    this.dropPath = dropPath;
  }

  /** @param x float32 [N, H, W, C]. @returns the same shape. */
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    const add = (map: tf.Tensor4D, branch: tf.Tensor4D, gamma: Parameter | undefined): tf.Tensor4D => {
      const scaled = gamma === undefined ? branch : tf.mul<tf.Tensor4D>(branch, gamma.value());
      return tf.add(map, pass.dropPath(scaled, this.dropPath));
    };
    const y = add(x, this.attn.forward(this.norm1.forward(x), pass), this.gamma1);
    return add(y, this.mlp.forward(this.norm2.forward(y)), this.gamma2);
  }
}

/** Patch embedding, blocks and norm; the official code numbers the three and puts them side by side. */
class Stage extends Module {
  protected override readonly officialNames: Readonly<Record<string, string>>;

  constructor(
    number: 1 | 2 | 3 | 4,
    readonly patchEmbed: Stem | PatchEmbed,
    readonly blocks: readonly Block[],
    readonly norm: LayerNorm,
  ) {
    super();
    this.officialNames = { patchEmbed: `patch_embed${number}`, blocks: `block${number}`, norm: `norm${number}` };
  }

  /** @param x float32 [N, H, W, C'], images or the map before. @returns float32 [N, h, w, C]. */
  forward(x: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    const embedded = this.patchEmbed.forward(x, pass);
    return this.norm.forward(throughBlocks(this.blocks, embedded, pass));
  }
}

/** The pyramid: C2..C5 are the normed maps, which also feed the next stage. */
class Smt extends Backbone {
  protected override readonly officialNames = { stage1: '', stage2: '', stage3: '', stage4: '' };
  readonly levels: Readonly<Record<Level, LevelSpec>>;
  readonly stage1: Stage;
  readonly stage2: Stage;
  readonly stage3: Stage;
  readonly stage4: Stage;

  constructor({ channels, depths, mlpRatios, stemKernel, layerScale = false, dropPath = 0 }: SmtOptions) {
    super();
    checkSizes('SMT', { channels, depths, mlpRatios, dropPath }, WIDTH_UNITS);
    this.levels = pyramidLevels(channels);
    const rates = linearRates(depths, dropPath);
    const stage = (number: 1 | 2 | 3 | 4): Stage => {
      const index = number - 1;
      const width = channels[index]!;
      const embed = number === 1 ? new Stem(width, stemKernel) : new PatchEmbed(channels[index - 1]!, width);
      const blocks = rates[index]!.map((rate, block) => {
        const attends = number === 4 || block % 2 === 1;
        const attentionHeads = attends ? ATTENTION_HEADS[index] : undefined;
        return new Block({ channels: width, mlpRatio: mlpRatios[index]!, layerScale, dropPath: rate, attentionHeads });
      });
      return new Stage(number, embed, blocks, new LayerNorm(width, NORM));
    };
    this.stage1 = stage(1);
    this.stage2 = stage(2);
    this.stage3 = stage(3);
    this.stage4 = stage(4);
  }

  /** @param images float32 [N, H, W, 3]. @returns float32 [N, h, w, C] of C2 to C5. */
  forward(images: tf.Tensor4D, pass: ForwardPass): Pyramid {
    return tf.tidy(() => {
      const C2 = this.stage1.forward(images, pass);
      const C3 = this.stage2.forward(C2, pass);
      const C4 = this.stage3.forward(C3, pass);
      return { C2, C3, C4, C5: this.stage4.forward(C4, pass) };
    });
  }

  /** The stem's second convolution drops an odd last row or column; later stages round up. */
  override mapSizes(height: number, width: number): Readonly<Record<Level, MapSize>> {
    const quarter = (size: number): number => Math.floor(Math.ceil(size / 2) / 2);
    const size = (factor: number): MapSize => [Math.ceil(quarter(height) / factor), Math.ceil(quarter(width) / factor)];
    return { C2: size(1), C3: size(2), C4: size(4), C5: size(8) };
  }

  protected stageOf(name: string): number {
    return numberIn(name, /^[a-z_]+(\d)/)!; // patch_embed1, block1, norm1, ..
  }

  attentionMultiplyAdds(height: number, width: number): number {
    const sizes = this.mapSizes(height, width);
    const stages = [this.stage1, this.stage2, this.stage3, this.stage4];
    return stages.reduce((sum, { blocks }, index) => {
      const level = LEVELS[index]!;
      const tokens = sizes[level][0] * sizes[level][1];
      const attending = blocks.filter(({ attn }) => attn instanceof Attention).length;
      return sum + attending * 2 * tokens ** 2 * this.levels[level].channels;
    }, 0);
  }
}

/** The official sizes; drop path as in the official training from scratch. The classification head is the plain one. */
export const smt = {
  variants: {
    smt_tiny: {
      channels: [64, 128, 256, 512],
      depths: [2, 2, 8, 1],
      mlpRatios: [4, 4, 4, 2],
      stemKernel: 3,
      dropPath: 0.1,
    },
    smt_small: {
      channels: [64, 128, 256, 512],
      depths: [3, 4, 18, 2],
      mlpRatios: [4, 4, 4, 2],
      stemKernel: 3,
      dropPath: 0.2,
    },
    smt_base: {
      channels: [64, 128, 256, 512],
      depths: [4, 6, 28, 2],
      mlpRatios: [8, 6, 4, 2],
      stemKernel: 7,
      dropPath: 0.3,
    },
    smt_large: {
      channels: [96, 192, 384, 768],
      depths: [4, 6, 28, 4],
      mlpRatios: [8, 6, 4, 2],
      stemKernel: 7,
      layerScale: true,
      dropPath: 0.4,
    },
  },
  create: (options) => new Smt(options),
  blockWeights: /^block(\d)\.(\d+)\.mlp\.fc1\.weight$/,
} as const satisfies BackboneFamily<SmtOptions>;
