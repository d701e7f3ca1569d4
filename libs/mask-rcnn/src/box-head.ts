/** Box head (FPN, section 4.2): shared layers over each RoI's features, then class logits and box deltas. */
import * as tf from '@tensorflow/tfjs-core';
import { decodeDeltas, type DeltaOptions, encodeDeltas, oneHot } from '@pyramidal/boxes';
import { giouLoss, smoothL1 } from '@pyramidal/losses';
import { ConvModule, type ForwardPass, initializers, Linear, Module } from '@pyramidal/nn';
import { overWorkers, softmaxCrossEntropy } from '@pyramidal/kernels';
import type { RoiTargets } from './roi-targets';

export interface BoxHeadOptions {
  /** Number of object classes; background comes after them. */
  readonly classes: number;
  /** Of the pyramid's maps. */
  readonly channels: number;
  /** Side of the RoI features. */
  readonly bins: number;
  /** Width of the fully connected layers. */
  readonly hidden: number;
  /** Shared layers; two fully connected ones by default. The convolutions have batch norm. */
  readonly layers?: { readonly convs: number; readonly fcs: number };
  readonly deltas: DeltaOptions;
  /** One box for all classes instead of one each. */
  readonly classAgnostic?: boolean;
  /** On deltas, or GIoU on decoded boxes. */
  readonly boxLoss:
    { readonly kind: 'smooth-l1'; readonly beta: number } | { readonly kind: 'giou'; readonly weight: number };
}

export interface BoxOutput {
  /** float32 [R, classes + 1]. */
  readonly logits: tf.Tensor2D;
  /** float32 [R, 4 classes], class by class, or [R, 4] if class-agnostic. */
  readonly deltas: tf.Tensor2D;
}

export interface BoxLosses {
  readonly class: tf.Scalar;
  readonly box: tf.Scalar;
  /** Share of the samples whose class is right, in percent. */
  readonly accuracy: tf.Scalar;
}

export class BoxHead extends Module {
  readonly fcCls: Linear;
  readonly fcReg: Linear;
  readonly sharedConvs: ConvModule[];
  readonly sharedFcs: Linear[];
  readonly options: BoxHeadOptions;

  constructor(options: BoxHeadOptions) {
    super();
    const { classes, channels, bins, hidden, layers = { convs: 0, fcs: 2 }, classAgnostic = false } = options;
    this.fcCls = new Linear(hidden, classes + 1, { init: initializers.normal(0.01) });
    this.fcReg = new Linear(hidden, classAgnostic ? 4 : 4 * classes, { init: initializers.normal(0.001) });
    this.sharedConvs = Array.from(
      { length: layers.convs },
      () => new ConvModule(channels, channels, { norm: 'batch' }),
    );
    this.sharedFcs = Array.from({ length: layers.fcs }, (_, i) => {
      return new Linear(i === 0 ? channels * bins * bins : hidden, hidden, { init: initializers.xavierUniform });
    });
    this.options = options;
  }

  /** @param features float32 [R, bins, bins, channels]. */
  forward(features: tf.Tensor4D, pass: ForwardPass): BoxOutput {
    const maps = this.sharedConvs.reduce((x, conv) => conv.forward(x, pass), features);
    // The weights expect channel-major features.
    const rows: tf.Tensor2D = tf.reshape(tf.transpose(maps, [0, 3, 1, 2]), [features.shape[0], -1]);
    const hidden = this.sharedFcs.reduce((x, fc) => tf.relu(fc.forward(x)), rows);
    return { logits: this.fcCls.forward(hidden), deltas: this.fcReg.forward(hidden) };
  }

  /**
   * Cross entropy over all samples, box loss over the positives; both divided by the number of samples.
   * @param targets of the same R RoIs.
   */
  loss(output: BoxOutput, targets: RoiTargets): BoxLosses {
    const { labels, positive, valid } = targets;
    const isSample = tf.cast(valid, 'float32');
    const samples = overWorkers.count(tf.sum(isSample), 1);
    const cross = softmaxCrossEntropy(output.logits, oneHot(labels, this.options.classes + 1));
    const boxes = tf.mul(this.boxLosses(this.deltasOfClass(output, labels), targets), tf.cast(positive, 'float32'));
    const isRight = tf.cast(tf.equal(tf.argMax(output.logits, 1), labels), 'float32');
    const share = (values: tf.Tensor): tf.Scalar => tf.div(tf.sum(values), samples);
    return {
      class: share(tf.mul(cross, isSample)),
      box: share(boxes),
      accuracy: tf.mul(share(tf.mul(isRight, isSample)), 100),
    };
  }

  /** The likeliest object class of each RoI, background excepted. @returns int32 [R]. */
  bestClasses({ logits }: BoxOutput): tf.Tensor1D {
    return tf.tidy(() => {
      const best: tf.Tensor1D = tf.argMax(tf.slice(logits, [0, 0], [-1, this.options.classes]), 1);
      return tf.cast(best, 'int32');
    });
  }

  /**
   * Where the deltas of one class each move RoIs, not clipped to the image.
   * @param boxes float32 [R, 4], xyxy. @param classes int32 [R].
   * @returns float32 [R, 4], xyxy.
   */
  move(boxes: tf.Tensor2D, output: BoxOutput, classes: tf.Tensor1D): tf.Tensor2D {
    return tf.tidy(() => decodeDeltas(boxes, this.deltasOfClass(output, classes), this.options.deltas));
  }

  /** The deltas [R, 4] that belong to each RoI's own class; zero for background. */
  private deltasOfClass({ deltas }: BoxOutput, labels: tf.Tensor1D): tf.Tensor2D {
    const { classes, classAgnostic = false } = this.options;
    if (classAgnostic) return deltas;
    const own = tf.expandDims(oneHot(labels, classes), 2);
    return tf.sum(tf.mul(tf.reshape(deltas, [-1, classes, 4]), own), 1);
  }

  private boxLosses(deltas: tf.Tensor2D, { boxes, truthBoxes }: RoiTargets): tf.Tensor1D {
    const { boxLoss, deltas: options } = this.options;
    if (boxLoss.kind === 'giou') {
      return tf.mul(giouLoss(decodeDeltas(boxes, deltas, options), truthBoxes), boxLoss.weight);
    }
    return tf.sum(smoothL1(deltas, finite(encodeDeltas(boxes, truthBoxes, options)), boxLoss.beta), 1);
  }
}

/** Rows without extent have no deltas; they count for nothing and get zeros. */
function finite(deltas: tf.Tensor2D): tf.Tensor2D {
  return tf.where(tf.isFinite(deltas), deltas, tf.zerosLike(deltas));
}
