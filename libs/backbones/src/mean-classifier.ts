/** The plain classification head, as SMT has it (Lin et al. 2023): the mean over the cells of C5, and a linear layer. */
import { type Backbone, Classifier, Linear, type Pyramid } from '@pyramidal/nn';
import * as tf from '@tensorflow/tfjs-core';

export class MeanClassifier extends Classifier {
  protected override readonly officialNames = { backbone: '' };
  readonly head: Linear;

  constructor(
    readonly backbone: Backbone,
    readonly classes: number,
  ) {
    super();
    this.head = new Linear(backbone.levels.C5.channels, classes);
  }

  classify({ C5 }: Pyramid): tf.Tensor2D {
    return tf.tidy(() => this.head.forward(tf.mean<tf.Tensor2D>(C5, [1, 2])));
  }
}
