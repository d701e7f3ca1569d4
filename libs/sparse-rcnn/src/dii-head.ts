/**
 * Dynamic instance interactive head (Sparse R-CNN, section 3.3): proposals look at each other, each at its own region, and
 * say class and box.
 */
import * as tf from '@tensorflow/tfjs-core';
import { Ffn, type ForwardPass, initializers, LayerNorm, Linear, Module, MultiHeadAttention } from '@pyramidal/nn';
import { DynamicConv, type DynamicConvOptions } from './dynamic-conv';

export interface DiiHeadOptions extends DynamicConvOptions {
  readonly classes: number;
  /** Of the attention. */
  readonly heads: number;
  /** Width of the feed-forward network. */
  readonly hidden: number;
  /** Layers before classes, and before boxes. */
  readonly clsLayers: number;
  readonly regLayers: number;
}

/** What one stage says of N images' P proposals. */
export interface DiiOutput {
  /** float32 [N, P, classes]. */
  readonly logits: tf.Tensor3D;
  /** float32 [N, P, 4]. */
  readonly deltas: tf.Tensor3D;
  /** float32 [N, P, C], for the next stage. */
  readonly features: tf.Tensor3D;
}

/** A place in the official lists of layers. */
class Relu extends Module {
  forward<T extends tf.Tensor>(x: T): T {
    return tf.relu(x);
  }
}

type Layer = Linear | LayerNorm | Relu;

const init = initializers.xavierUniform;

export class DiiHead extends Module {
  protected override readonly officialNames = { attention: 'attention.attn' };
  readonly fcCls: Linear;
  readonly fcReg: Linear;
  readonly attention: MultiHeadAttention;
  readonly attentionNorm: LayerNorm;
  readonly instanceInteractiveConv: DynamicConv;
  readonly instanceInteractiveConvNorm: LayerNorm;
  readonly ffn: Ffn;
  readonly ffnNorm: LayerNorm;
  readonly clsFcs: readonly Layer[];
  readonly regFcs: readonly Layer[];

  constructor({ classes, heads, hidden, clsLayers, regLayers, ...conv }: DiiHeadOptions) {
    super();
    const { channels } = conv;
    this.fcCls = new Linear(channels, classes, { init, biasInit: initializers.rareClass });
    this.fcReg = new Linear(channels, 4, { init });
    this.attention = new MultiHeadAttention(channels, { heads });
    this.attentionNorm = new LayerNorm(channels);
    this.instanceInteractiveConv = new DynamicConv(conv);
    this.instanceInteractiveConvNorm = new LayerNorm(channels);
    this.ffn = new Ffn(channels, hidden);
    this.ffnNorm = new LayerNorm(channels);
    this.clsFcs = branch(clsLayers, channels);
    this.regFcs = branch(regLayers, channels);
  }

  /** @param features float32 [N, P, C], of proposals. @param rois float32 [N P, bins, bins, C], of their regions. */
  forward(features: tf.Tensor3D, rois: tf.Tensor4D, pass: ForwardPass): DiiOutput {
    const [images, , channels] = features.shape;
    const perImage = (rows: tf.Tensor2D): tf.Tensor3D => tf.reshape(rows, [images, -1, rows.shape[1]]);
    const attended = this.attention.forward({ queries: features, keys: features, values: features }, pass);
    const proposals: tf.Tensor2D = tf.reshape(this.attentionNorm.forward(tf.add(features, attended)), [-1, channels]);
    const seen = this.instanceInteractiveConv.forward(proposals, rois);
    const objects = this.instanceInteractiveConvNorm.forward(tf.add<tf.Tensor2D>(proposals, seen));
    const output = this.ffnNorm.forward(tf.add<tf.Tensor2D>(objects, this.ffn.forward(objects)));
    return {
      logits: perImage(this.fcCls.forward(through(this.clsFcs, output))),
      deltas: perImage(this.fcReg.forward(through(this.regFcs, output))),
      features: perImage(output),
    };
  }
}

function branch(layers: number, channels: number): Layer[] {
  const layer = (): Layer[] => [
    new Linear(channels, channels, { init, bias: false }),
    new LayerNorm(channels),
    new Relu(),
  ];
  return Array.from({ length: layers }, layer).flat();
}

function through(layers: readonly Layer[], x: tf.Tensor2D): tf.Tensor2D {
  return layers.reduce((y, layer) => layer.forward(y), x);
}
