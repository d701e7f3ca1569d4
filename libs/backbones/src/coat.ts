/**
 * CoaT (Xu et al. 2021, "Co-Scale Conv-Attentional Image Transformers", arXiv 2104.06399), after the configurations
 * and weight names of mlpc-ucsd/CoaT. The pyramid is what the official detection wrappers hand out: the maps after the
 * last blocks, without class tokens and without norms.
 *
 * Deliberate differences: images, maps and patches are [N, H, W, C]; biases of convolutions start at zero.
 *
 * Shapes: N images, H x W cells, C channels of the stage; tokens are [N, 1 + H W, C], the class token first.
 */
import * as tf from '@tensorflow/tfjs-core';
import { biasAdd, conv2d, factorAttention, resizeBilinear } from '@pyramidal/kernels';
import {
  Backbone,
  Classifier,
  Conv2d,
  DepthwiseConv2d,
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
} from '@pyramidal/nn';
import { tokenWeights } from './attention-view';
import { RelativePositionEncoding } from './relative-position-encoding';
import type { BackboneFamily } from './family';
import {
  type BackboneSizes,
  checkSizes,
  hiddenWidth,
  numberIn,
  pyramidLevels,
  SizeError,
  splitInThree,
  type Stages,
} from './stages';

export interface CoaTOptions extends BackboneSizes {
  /** Channels of C2, C3, C4, C5; multiples of 8. */
  readonly channels: Stages;
  /** Serial blocks of each stage. */
  readonly depths: Stages;
  /** Blocks in which stages 2 to 4, then of equal width, exchange what they attend to; none in CoaT-Lite. */
  readonly parallelDepth?: number;
  readonly mlpRatios: Stages;
  /** The same in every block. */
  readonly dropPath?: number;
}

/** The pyramid and the class token of each stage, float32 [N, 1, C], which only the classification head uses. */
interface CoaTFeatures extends Pyramid {
  readonly classTokens: Readonly<Record<Level, tf.Tensor3D>>;
}

/** Tokens and the size of the map that they are, after the class token. */
interface Tokens {
  readonly x: tf.Tensor3D;
  readonly size: MapSize;
}

const HEADS = 8;
const WIDTH_UNITS: Stages = [HEADS, HEADS, HEADS, HEADS];
const NORM = { epsilon: 1e-6 };

/** [N, H, W, C'] -> [N, floor(H / patch), floor(W / patch), C]: rows and columns that fill no patch are dropped. */
class PatchEmbed extends Module {
  readonly proj: Conv2d;
  readonly norm: LayerNorm;

  constructor(inChannels: number, channels: number, patch: number) {
    super();
    this.proj = new Conv2d(inChannels, channels, patch, { stride: patch, padding: 0 });
    this.norm = new LayerNorm(channels);
  }

  /** @param x float32 [N, H, W, C']. @returns float32 [N, H / stride, W / stride, C]. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return this.norm.forward(this.proj.forward(x));
  }
}

/** A depthwise convolution of the map, added to it; the class token stays as it is. */
class PositionEncoding extends Module {
  readonly proj: DepthwiseConv2d;

  constructor(channels: number) {
    super();
    this.proj = new DepthwiseConv2d(channels, 3);
  }

  forward({ x, size }: Tokens): tf.Tensor3D {
    return tf.add(x, withoutClassToken(this.proj.forward(mapOf(x, size))));
  }
}

/** Factorised attention with convolutional relative positions (section 4). */
class ConvAttention extends Module {
  readonly qkv: Linear;
  readonly proj: Linear;

  constructor(
    channels: number,
    readonly crpe: RelativePositionEncoding,
  ) {
    super();
    this.qkv = new Linear(channels, 3 * channels);
    this.proj = new Linear(channels, channels);
  }

  forward({ x, size }: Tokens, pass: ForwardPass): tf.Tensor3D {
    const qkv = this.qkv.forward(x);
    pass.showAttention(this, () => {
      const weights = tokenWeights(splitInThree(qkv)[1]);
      return { weights, map: mapOf(weights, size) };
    });
    const attended = factorAttention(qkv, {
      heads: HEADS,
      scale: (this.proj.inFeatures / HEADS) ** -0.5,
      positions: (tokens, first) => withoutClassToken(this.crpe.forward(mapOf(tokens, size), first)),
    });
    return this.proj.forward(attended);
  }
}

class SerialBlock extends Module {
  readonly norm1: LayerNorm;
  readonly factorattCrpe: ConvAttention;
  readonly norm2: LayerNorm;
  readonly mlp: Mlp;

  constructor(
    channels: number,
    mlpRatio: number,
    private readonly dropPath: number,
    readonly cpe: PositionEncoding,
    crpe: RelativePositionEncoding,
  ) {
    super();
    this.norm1 = new LayerNorm(channels, NORM);
    this.factorattCrpe = new ConvAttention(channels, crpe);
    this.norm2 = new LayerNorm(channels, NORM);
    this.mlp = new Mlp(channels, hiddenWidth(channels, mlpRatio));
  }

  forward({ x, size }: Tokens, pass: ForwardPass): Tokens {
    const positioned = this.cpe.forward({ x, size });
    const attended = this.factorattCrpe.forward({ x: this.norm1.forward(positioned), size }, pass);
    const y = tf.add<tf.Tensor3D>(positioned, pass.dropPath(attended, this.dropPath));
    const fed = pass.dropPath(this.mlp.forward(this.norm2.forward(y), pass), this.dropPath);
    return { x: tf.add(y, fed), size };
  }
}

type Coarse<T> = readonly [T, T, T];

/** Stages 2 to 4 attend, each adds what the two others attended to at its own size, and all feed forward in the same way. */
class ParallelBlock extends Module {
  readonly norm12: LayerNorm;
  readonly norm13: LayerNorm;
  readonly norm14: LayerNorm;
  readonly factorattCrpe2: ConvAttention;
  readonly factorattCrpe3: ConvAttention;
  readonly factorattCrpe4: ConvAttention;
  readonly norm22: LayerNorm;
  readonly norm23: LayerNorm;
  readonly norm24: LayerNorm;
  readonly mlp2: Mlp;
  readonly mlp3: Mlp;
  readonly mlp4: Mlp;
  /** Shared with the serial blocks. A function, which names no parameters: the official module does not list them. */
  private readonly positionEncodings: () => Coarse<PositionEncoding>;

  constructor(
    channels: number,
    mlpRatio: number,
    private readonly dropPath: number,
    cpes: Coarse<PositionEncoding>,
    crpes: Coarse<RelativePositionEncoding>,
  ) {
    super();
    const norm = (): LayerNorm => new LayerNorm(channels, NORM);
    this.norm12 = norm();
    this.norm13 = norm();
    this.norm14 = norm();
    this.factorattCrpe2 = new ConvAttention(channels, crpes[0]);
    this.factorattCrpe3 = new ConvAttention(channels, crpes[1]);
    this.factorattCrpe4 = new ConvAttention(channels, crpes[2]);
    this.norm22 = norm();
    this.norm23 = norm();
    this.norm24 = norm();
    this.mlp2 = this.mlp3 = this.mlp4 = new Mlp(channels, hiddenWidth(channels, mlpRatio));
    this.positionEncodings = () => cpes;
  }

  forward(stages: Coarse<Tokens>, pass: ForwardPass): Coarse<Tokens> {
    const positionEncodings = this.positionEncodings();
    const positioned = eachStage((stage) => {
      return { x: positionEncodings[stage].forward(stages[stage]), size: stages[stage].size };
    });
    const attentions = [this.factorattCrpe2, this.factorattCrpe3, this.factorattCrpe4] as const;
    const attentionNorms = [this.norm12, this.norm13, this.norm14] as const;
    const attended = eachStage((stage) => {
      const { x, size } = positioned[stage];
      return { x: attentions[stage].forward({ x: attentionNorms[stage].forward(x), size }, pass), size };
    });
    const mlpNorms = [this.norm22, this.norm23, this.norm24] as const;
    return eachStage((stage) => {
      const { x, size } = positioned[stage];
      const exchanged = tf.addN(attended.map((other) => resizeTokens(other, size)));
      const y = tf.add<tf.Tensor3D>(x, pass.dropPath(exchanged, this.dropPath));
      const fed = pass.dropPath(this.mlp2.forward(mlpNorms[stage].forward(y), pass), this.dropPath);
      return { x: tf.add<tf.Tensor3D>(y, fed), size };
    });
  }
}

export class CoaT extends Backbone<CoaTFeatures> {
  readonly levels: Readonly<Record<Level, LevelSpec>>;
  readonly clsToken1: Parameter;
  readonly clsToken2: Parameter;
  readonly clsToken3: Parameter;
  readonly clsToken4: Parameter;
  readonly patchEmbed1: PatchEmbed;
  readonly patchEmbed2: PatchEmbed;
  readonly patchEmbed3: PatchEmbed;
  readonly patchEmbed4: PatchEmbed;
  readonly cpe1: PositionEncoding;
  readonly cpe2: PositionEncoding;
  readonly cpe3: PositionEncoding;
  readonly cpe4: PositionEncoding;
  readonly crpe1: RelativePositionEncoding;
  readonly crpe2: RelativePositionEncoding;
  readonly crpe3: RelativePositionEncoding;
  readonly crpe4: RelativePositionEncoding;
  readonly serialBlocks1: SerialBlock[];
  readonly serialBlocks2: SerialBlock[];
  readonly serialBlocks3: SerialBlock[];
  readonly serialBlocks4: SerialBlock[];
  readonly parallelBlocks: ParallelBlock[];

  constructor({ channels, depths, parallelDepth = 0, mlpRatios, dropPath = 0 }: CoaTOptions) {
    super();
    checkSizes('CoaT', { channels, depths, mlpRatios, dropPath }, WIDTH_UNITS);
    checkParallel(channels, mlpRatios, parallelDepth);
    this.levels = pyramidLevels(channels);
    const [c2, c3, c4, c5] = channels;
    this.clsToken1 = classToken(c2);
    this.clsToken2 = classToken(c3);
    this.clsToken3 = classToken(c4);
    this.clsToken4 = classToken(c5);
    this.patchEmbed1 = new PatchEmbed(3, c2, 4);
    this.patchEmbed2 = new PatchEmbed(c2, c3, 2);
    this.patchEmbed3 = new PatchEmbed(c3, c4, 2);
    this.patchEmbed4 = new PatchEmbed(c4, c5, 2);
    this.cpe1 = new PositionEncoding(c2);
    this.cpe2 = new PositionEncoding(c3);
    this.cpe3 = new PositionEncoding(c4);
    this.cpe4 = new PositionEncoding(c5);
    this.crpe1 = new RelativePositionEncoding(c2);
    this.crpe2 = new RelativePositionEncoding(c3);
    this.crpe3 = new RelativePositionEncoding(c4);
    this.crpe4 = new RelativePositionEncoding(c5);
    const serial = (stage: 0 | 1 | 2 | 3, cpe: PositionEncoding, crpe: RelativePositionEncoding): SerialBlock[] => {
      const block = (): SerialBlock => new SerialBlock(channels[stage], mlpRatios[stage], dropPath, cpe, crpe);
      return Array.from({ length: depths[stage] }, block);
    };
    this.serialBlocks1 = serial(0, this.cpe1, this.crpe1);
    this.serialBlocks2 = serial(1, this.cpe2, this.crpe2);
    this.serialBlocks3 = serial(2, this.cpe3, this.crpe3);
    this.serialBlocks4 = serial(3, this.cpe4, this.crpe4);
    const cpes = [this.cpe2, this.cpe3, this.cpe4] as const;
    const crpes = [this.crpe2, this.crpe3, this.crpe4] as const;
    const parallel = (): ParallelBlock => new ParallelBlock(c3, mlpRatios[1], dropPath, cpes, crpes);
    this.parallelBlocks = Array.from({ length: parallelDepth }, parallel);
  }

  /** @param images float32 [N, H, W, 3]. @returns maps float32 [N, h, w, C] of C2 to C5, and their class tokens float32 [N, C]. */
  forward(images: tf.Tensor4D, pass: ForwardPass): CoaTFeatures {
    return tf.tidy(() => {
      const first = this.serial(this.patchEmbed1.forward(images), this.clsToken1, this.serialBlocks1, pass);
      const second = this.serial(this.patchEmbed2.forward(toMap(first)), this.clsToken2, this.serialBlocks2, pass);
      const third = this.serial(this.patchEmbed3.forward(toMap(second)), this.clsToken3, this.serialBlocks3, pass);
      const fourth = this.serial(this.patchEmbed4.forward(toMap(third)), this.clsToken4, this.serialBlocks4, pass);
      const coarse = this.parallel([second, third, fourth], pass);
      const [C3, C4, C5] = coarse.map(toMap) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
      const classTokens = {
        C2: classTokenOf(first),
        C3: classTokenOf(coarse[0]),
        C4: classTokenOf(coarse[1]),
        C5: classTokenOf(coarse[2]),
      };
      return { C2: toMap(first), C3, C4, C5, classTokens };
    });
  }

  private serial(map: tf.Tensor4D, token: Parameter, blocks: readonly SerialBlock[], pass: ForwardPass): Tokens {
    const [n, height, width, channels] = map.shape;
    const tokens = tf.tile(token.value<tf.Rank.R3>(), [n, 1, 1]);
    const x = tf.concat([tokens, tf.reshape<tf.Rank.R3>(map, [n, height * width, channels])], 1);
    const size = [height, width] as const;
    const through = (tokens: tf.Tensor3D, block: SerialBlock): tf.Tensor3D =>
      pass.through([block], tokens, (input, now) => block.forward({ x: input, size }, now).x);
    return { x: blocks.reduce(through, x), size };
  }

  private parallel(stages: Coarse<Tokens>, pass: ForwardPass): Coarse<Tokens> {
    if (!pass.recomputes || this.parallelBlocks.length === 0) {
      return this.parallelBlocks.reduce((state, block) => block.forward(state, pass), stages);
    }
    const counts = stages.map(({ x }) => x.shape[1]);
    const join = (state: Coarse<Tokens>): tf.Tensor3D => tf.concat(state.map(({ x }) => x), 1); // prettier-ignore
    const apart = (joined: tf.Tensor3D): Coarse<Tokens> => {
      const split = tf.split(joined, counts, 1);
      return eachStage((stage) => ({ x: split[stage] as tf.Tensor3D, size: stages[stage].size }));
    };
    const shared = [this.cpe2, this.cpe3, this.cpe4];
    const through = (tokens: tf.Tensor3D, block: ParallelBlock): tf.Tensor3D =>
      pass.through([block, ...shared], tokens, (input, now) => join(block.forward(apart(input), now)));
    return apart(this.parallelBlocks.reduce(through, join(stages)));
  }

  /** Every patch embedding rounds down. */
  override mapSizes(height: number, width: number): Readonly<Record<Level, MapSize>> {
    const size = (level: Level): MapSize => {
      const { stride } = this.levels[level];
      return [Math.floor(height / stride), Math.floor(width / stride)];
    };
    return { C2: size('C2'), C3: size('C3'), C4: size('C4'), C5: size('C5') };
  }

  protected stageOf(name: string): number {
    return numberIn(name, /^[a-z_]+(\d)/) ?? 4; // cls_token1, .., serial_blocks4; then parallel_blocks
  }

  attentionMultiplyAdds(height: number, width: number): number {
    const sizes = this.mapSizes(height, width);
    const serial = [this.serialBlocks1, this.serialBlocks2, this.serialBlocks3, this.serialBlocks4];
    return LEVELS.reduce((sum, level, stage) => {
      const tokens = 1 + sizes[level][0] * sizes[level][1];
      const { channels } = this.levels[level];
      const blocks = serial[stage]!.length + (level === 'C2' ? 0 : this.parallelBlocks.length);
      return sum + blocks * 2 * tokens * channels * (channels / HEADS);
    }, 0);
  }
}

/** Fuses the class tokens of three stages into one by a weighted sum. */
class TokenFusion extends Module {
  readonly weight = new Parameter({ shape: [1, 3, 1], layout: 'conv1d', init: initializers.fanInUniform });
  readonly bias = new Parameter({ shape: [1], init: initializers.zeros });

  /** @param tokens three float32 [N, 1, C]. @returns float32 [N, C]. */
  forward(tokens: readonly tf.Tensor3D[]): tf.Tensor2D {
    const [n, , channels] = tokens[0]!.shape;
    const filter = tf.reshape<tf.Rank.R4>(this.weight.value(), [1, 1, 3, 1]);
    const sum = conv2d(tf.stack([...tokens], 3) as tf.Tensor4D, filter, { stride: 1, padding: 0 });
    return tf.reshape(biasAdd(sum, this.bias.value()), [n, channels]);
  }
}

/**
 * The backbone with the official classification head: CoaT-Lite's takes the normed class token of the last stage,
 * CoaT's a weighted sum of the last three. Official checkpoints have norms of all four stages, used or not.
 */
export class CoaTClassifier extends Classifier<CoaTFeatures> {
  protected override readonly officialNames = { backbone: '' };
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly norm3: LayerNorm;
  readonly norm4: LayerNorm;
  readonly aggregate: TokenFusion | undefined;
  readonly head: Linear;

  constructor(
    readonly backbone: CoaT,
    readonly classes: number,
  ) {
    super();
    const { C2, C3, C4, C5 } = backbone.levels;
    this.norm1 = new LayerNorm(C2.channels, NORM);
    this.norm2 = new LayerNorm(C3.channels, NORM);
    this.norm3 = new LayerNorm(C4.channels, NORM);
    this.norm4 = new LayerNorm(C5.channels, NORM);
    this.aggregate = backbone.parallelBlocks.length > 0 ? new TokenFusion() : undefined;
    this.head = new Linear(C5.channels, classes);
  }

  classify({ classTokens }: CoaTFeatures): tf.Tensor2D {
    return tf.tidy(() => {
      const last = this.norm4.forward(classTokens.C5);
      if (this.aggregate === undefined) return this.head.forward(tf.squeeze<tf.Tensor2D>(last, [1]));
      const others = [this.norm2.forward(classTokens.C3), this.norm3.forward(classTokens.C4)];
      return this.head.forward(this.aggregate.forward([...others, last]));
    });
  }
}

/** The official sizes; drop path as in the official training commands. */
export const coat = {
  variants: {
    coat_tiny: {
      channels: [152, 152, 152, 152],
      depths: [2, 2, 2, 2],
      parallelDepth: 6,
      mlpRatios: [4, 4, 4, 4],
      dropPath: 0,
    },
    coat_mini: {
      channels: [152, 216, 216, 216],
      depths: [2, 2, 2, 2],
      parallelDepth: 6,
      mlpRatios: [4, 4, 4, 4],
      dropPath: 0,
    },
    coat_small: {
      channels: [152, 320, 320, 320],
      depths: [2, 2, 2, 2],
      parallelDepth: 6,
      mlpRatios: [4, 4, 4, 4],
      dropPath: 0.2,
    },
    coat_lite_tiny: { channels: [64, 128, 256, 320], depths: [2, 2, 2, 2], mlpRatios: [8, 8, 4, 4], dropPath: 0 },
    coat_lite_mini: { channels: [64, 128, 320, 512], depths: [2, 2, 2, 2], mlpRatios: [8, 8, 4, 4], dropPath: 0 },
    coat_lite_small: { channels: [64, 128, 320, 512], depths: [3, 4, 6, 3], mlpRatios: [8, 8, 4, 4], dropPath: 0 },
    coat_lite_medium: { channels: [128, 256, 320, 512], depths: [3, 6, 10, 8], mlpRatios: [4, 4, 4, 4], dropPath: 0.3 },
  },
  create: (options) => new CoaT(options),
  createClassifier: (options, classes) => new CoaTClassifier(new CoaT(options), classes),
  blockWeights: /^serial_blocks(\d)\.(\d+)\.mlp\.fc1\.weight$/,
} as const satisfies BackboneFamily<CoaTOptions>;

function checkParallel(channels: Stages, mlpRatios: Stages, parallelDepth: number): void {
  const differ = (values: Stages): boolean => new Set(values.slice(1)).size > 1;
  if (parallelDepth > 0 && (differ(channels) || differ(mlpRatios))) {
    throw new SizeError(
      differ(channels) ? 'channels' : 'mlpRatios',
      `CoaT: parallel blocks expect the same channels and MLP ratios in stages 2 to 4, received ${channels.join(', ')} and ${mlpRatios.join(', ')}`,
    );
  }
}

function classToken(channels: number): Parameter {
  return new Parameter({ shape: [1, 1, channels], init: initializers.truncatedNormal(0.02), decay: false });
}

function eachStage<T>(make: (stage: 0 | 1 | 2) => T): Coarse<T> {
  return [make(0), make(1), make(2)];
}

/** The map behind the class token, float32 [N, H, W, C]. */
function mapOf(tokens: tf.Tensor3D, [height, width]: MapSize): tf.Tensor4D {
  const [n, count, channels] = tokens.shape;
  return tf.reshape(tf.slice(tokens, [0, 1, 0], [n, count - 1, channels]), [n, height, width, channels]);
}

const toMap = ({ x, size }: Tokens): tf.Tensor4D => mapOf(x, size);
const classTokenOf = ({ x }: Tokens): tf.Tensor3D => tf.slice(x, [0, 0, 0], [-1, 1, -1]);

/** A map as tokens behind zeros in place of the class token. */
function withoutClassToken(map: tf.Tensor4D): tf.Tensor3D {
  const [n, height, width, channels] = map.shape;
  return tf.pad(tf.reshape<tf.Rank.R3>(map, [n, height * width, channels]), [
    [0, 0],
    [1, 0],
    [0, 0],
  ]);
}

/** Brings the map to another size; the class token stays as it is. */
function resizeTokens(tokens: Tokens, size: MapSize): tf.Tensor3D {
  const { x } = tokens;
  if (size === tokens.size) return x;
  const resized = resizeBilinear(toMap(tokens), size, { alignCorners: false });
  const [n, , channels] = x.shape;
  return tf.concat([classTokenOf(tokens), tf.reshape<tf.Rank.R3>(resized, [n, size[0] * size[1], channels])], 1);
}
