/** Dynamic convolution (Sparse R-CNN, figure 4): the filters that a proposal's own feature makes look at its region. */
import * as tf from '@tensorflow/tfjs-core';
import { initializers, LayerNorm, Linear, Module } from '@pyramidal/nn';

export interface DynamicConvOptions {
  /** C, of proposal features and of maps. */
  readonly channels: number;
  /** F, between the two convolutions. */
  readonly dynamic: number;
  /** Side of the RoI features. */
  readonly bins: number;
}

const init = initializers.xavierUniform;

export class DynamicConv extends Module {
  readonly dynamicLayer: Linear;
  readonly normIn: LayerNorm;
  readonly normOut: LayerNorm;
  readonly fcLayer: Linear;
  readonly fcNorm: LayerNorm;

  constructor(private readonly options: DynamicConvOptions) {
    super();
    const { channels, dynamic, bins } = options;
    this.dynamicLayer = new Linear(channels, 2 * channels * dynamic, { init });
    this.normIn = new LayerNorm(dynamic);
    this.normOut = new LayerNorm(channels);
    this.fcLayer = new Linear(channels * bins * bins, channels, { init });
    this.fcNorm = new LayerNorm(channels);
  }

  /**
   * @param features float32 [R, C], of proposals. @param rois float32 [R, bins, bins, C], of their regions.
   * @returns float32 [R, C].
   */
  forward(features: tf.Tensor2D, rois: tf.Tensor4D): tf.Tensor2D {
    const { channels, dynamic } = this.options;
    const [count] = features.shape;
    return tf.tidy(() => {
      const [first, second] = tf.split(this.dynamicLayer.forward(features), 2, 1) as [tf.Tensor2D, tf.Tensor2D];
      const cells: tf.Tensor3D = tf.reshape(rois, [count, -1, channels]);
      const narrow = this.normIn.forward(tf.matMul(cells, tf.reshape(first, [count, channels, dynamic])));
      const wide = this.normOut.forward(tf.matMul(tf.relu(narrow), tf.reshape(second, [count, dynamic, channels])));
      const flat: tf.Tensor2D = tf.reshape(tf.relu(wide), [count, -1]);
      return tf.relu(this.fcNorm.forward(this.fcLayer.forward(flat)));
    });
  }
}
