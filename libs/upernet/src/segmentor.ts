/** A segmentor: backbone, neck and decode heads, as MMSegmentation's `EncoderDecoder`. */
import * as tf from '@tensorflow/tfjs-core';
import { type Backbone, type ForwardPass, LEVELS, Module, type Neck } from '@pyramidal/nn';
import type { DecodeHead, Maps } from './decode-head';
import { segmentationLoss } from './loss';

/** Share of the auxiliary head in the loss. */
const AUXILIARY_WEIGHT = 0.4;

export interface SegmentorModules {
  readonly backbone: Backbone;
  readonly neck?: Neck;
  readonly decodeHead: DecodeHead;
  /** Helps to train and is left out otherwise. */
  readonly auxiliaryHead?: DecodeHead;
}

/** Backbone, neck and heads under the names of MMSegmentation's `EncoderDecoder`. */
export class Segmentor extends Module {
  readonly backbone: Backbone;
  readonly neck: Neck | undefined;
  readonly decodeHead: DecodeHead;
  readonly auxiliaryHead: DecodeHead | undefined;

  constructor({ backbone, neck, decodeHead, auxiliaryHead }: SegmentorModules) {
    super();
    this.backbone = backbone;
    this.neck = neck;
    this.decodeHead = decodeHead;
    this.auxiliaryHead = auxiliaryHead;
  }

  get classes(): number {
    return this.decodeHead.classes;
  }

  /**
   * @param images float32 [N, H, W, 3], normalised.
   * @returns logits, float32 [N, ceil(H / 4), ceil(W / 4), classes].
   */
  forward(images: tf.Tensor4D, pass: ForwardPass): tf.Tensor4D {
    return tf.tidy(() => this.decodeHead.forward(this.maps(images, pass), pass));
  }

  /**
   * @param images float32 [N, H, W, 3], normalised.
   * @param labels int32 [N, H, W], classes or 255.
   * @param classWeights a factor for each class; without them all count alike.
   * @returns the loss to descend and its parts; accuracies in percent.
   */
  loss(
    images: tf.Tensor4D,
    labels: tf.Tensor3D,
    pass: ForwardPass,
    classWeights?: readonly number[],
  ): { readonly loss: tf.Scalar } & Record<string, tf.Scalar> {
    const maps = this.maps(images, pass);
    const lossOf = (head: DecodeHead) => segmentationLoss(head.forward(maps, pass), labels, classWeights);
    const { loss: decodeLoss, accuracy } = lossOf(this.decodeHead);
    if (this.auxiliaryHead === undefined) return { loss: decodeLoss, accuracy };
    const auxiliary = lossOf(this.auxiliaryHead);
    const auxiliaryLoss = tf.mul<tf.Scalar>(auxiliary.loss, AUXILIARY_WEIGHT);
    const loss = tf.add<tf.Scalar>(decodeLoss, auxiliaryLoss);
    return { loss, decodeLoss, auxiliaryLoss, accuracy, auxiliaryAccuracy: auxiliary.accuracy };
  }

  private maps(images: tf.Tensor4D, pass: ForwardPass): Maps {
    const pyramid = this.backbone.forward(images, pass);
    const maps = LEVELS.map((level) => pyramid[level]);
    return this.neck?.forward(maps) ?? maps;
  }
}
