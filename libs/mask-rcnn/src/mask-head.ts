/** Mask head (Mask R-CNN, figure 4 right): convolutions, a transposed one, then a mask per class. */
import * as tf from '@tensorflow/tfjs-core';
import { oneHot } from '@pyramidal/boxes';
import { binaryCrossEntropy } from '@pyramidal/losses';
import { Conv2d, ConvModule, type ForwardPass, initializers, Module, Parameter } from '@pyramidal/nn';
import { biasAdd, overWorkers } from '@pyramidal/kernels';

export interface MaskHeadOptions {
  readonly classes: number;
  /** Of the pyramid's maps. */
  readonly channels: number;
  readonly convs: number;
  /** Of the convolutions. */
  readonly hidden: number;
}

/** Doubles height and width: 2x2 transposed convolution of stride 2. */
class Upsample extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(channels: number) {
    super();
    const init = initializers.fanOutNormal();
    this.weight = new Parameter({ shape: [2, 2, channels, channels], layout: 'convTranspose', init });
    this.bias = new Parameter({ shape: [channels], init: initializers.zeros });
  }

  /** @param x float32 [N, H, W, C]. @returns float32 [N, 2 H, 2 W, C]. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    const [n, h, w] = x.shape;
    const weight = this.weight.value<tf.Rank.R4>();
    const shape: [number, number, number, number] = [n, 2 * h, 2 * w, weight.shape[2]];
    return biasAdd(tf.conv2dTranspose(x, weight, shape, 2, 'valid'), this.bias.value());
  }
}

export class MaskHead extends Module {
  readonly convs: ConvModule[];
  readonly upsample: Upsample;
  readonly convLogits: Conv2d;
  readonly classes: number;

  constructor({ classes, channels, convs, hidden }: MaskHeadOptions) {
    super();
    this.convs = Array.from({ length: convs }, (_, i) => new ConvModule(i === 0 ? channels : hidden, hidden));
    this.upsample = new Upsample(hidden);
    this.convLogits = new Conv2d(hidden, classes, 1, { init: initializers.fanOutNormal() });
    this.classes = classes;
  }

  /** @param features float32 [R, b, b, channels]. @returns logits, float32 [R, 2 b, 2 b, classes]. */
  forward(features: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    return tf.tidy(() => {
      const hidden = this.convs.reduce((x, conv) => conv.forward(x, pass), features);
      return this.convLogits.forward(tf.relu(this.upsample.forward(hidden)));
    });
  }

  /**
   * Mean binary cross entropy over the pixels of the RoIs' own class; 0 where none is counted.
   * @param logits float32 [R, 2 b, 2 b, classes]. @param targets float32 [R, 2 b, 2 b]. @param labels int32 [R].
   * @param counted bool [R]: positives whose object has a mask.
   */
  loss(logits: tf.Tensor4D, targets: tf.Tensor3D, labels: tf.Tensor1D, counted: tf.Tensor1D): tf.Scalar {
    return tf.tidy(() => {
      const counts = tf.cast(counted, 'float32');
      const perRoi = tf.mean(binaryCrossEntropy(ownMasks(logits, labels), targets), [1, 2]);
      return tf.div(tf.sum(tf.mul(perRoi, counts)), overWorkers.count(tf.sum(counts), 1)) as tf.Scalar;
    });
  }
}

/**
 * Each RoI's map of its own class; of none, zeros.
 * @param logits float32 [R, h, w, classes]. @param labels int32 [R].
 * @returns float32 [R, h, w].
 */
export function ownMasks(logits: tf.Tensor4D, labels: tf.Tensor1D): tf.Tensor3D {
  return tf.tidy(() => {
    const [rois, , , classes] = logits.shape;
    const own = tf.reshape(oneHot(labels, classes), [rois, 1, 1, classes]);
    return tf.sum(tf.mul(logits, own), 3);
  });
}
