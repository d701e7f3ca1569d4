/** The loss on validation images: forward passes as at inference, each image once, the same whenever it is measured. */
import type { SharedConfig } from '@pyramidal/config';
import { compile } from '@pyramidal/graph';
import type { Batch, TrainStepOptions } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import type { BatchSource } from './train-network';

/** What a loss is measured of. */
export interface Measured<Loaded, B extends Batch> {
  /** The loss of a batch as at inference: no statistics move, nothing is dropped; static. */
  readonly loss: TrainStepOptions<B>['loss'];
  /** Validation images without random changes, in batches. */
  readonly source: BatchSource<Loaded>;
}

interface ValidationLossOptions<Loaded, B extends Batch> extends Measured<Loaded, B> {
  readonly tensors: (loaded: Loaded) => B;
  readonly config: Pick<SharedConfig, 'runtime' | 'train'>;
}

/** Measures the loss of a network as it stands. */
export interface ValidationLoss {
  /** The mean over the images. @throws the signal's reason if it aborts. */
  measure(signal: AbortSignal): Promise<number>;
  /** Frees its graphs; the network and the source stay. */
  dispose(): void;
}

export function validationLoss<Loaded, B extends Batch>(options: ValidationLossOptions<Loaded, B>): ValidationLoss {
  const { loss, source, tensors, config } = options;
  const { compile: isCompiled, precision } = config.runtime;
  const evaluate = ({ seed, ...batch }: tf.NamedTensorMap) => ({ loss: loss(batch as B, seed as tf.Tensor1D).loss });
  const eager = Object.assign((inputs: tf.NamedTensorMap) => tf.tidy(() => evaluate(inputs)), { dispose: () => {} });
  const run = isCompiled ? compile(evaluate, { name: 'validationLoss', precision }) : eager;
  return {
    async measure(signal) {
      // Detectors draw what they learn from: always the same here, so that losses compare.
      const seed = tf.tensor1d([config.train.seed, 0], 'int32');
      let [sum, images] = [0, 0];
      try {
        for await (const loaded of source.batches({ epoch: 0, batch: 0 })) {
          const batch = tensors(loaded);
          const count = imagesIn(batch);
          const value = run({ ...batch, seed }).loss;
          sum += count * (await value.data<'float32'>())[0]!;
          images += count;
          tf.dispose([batch, value]);
          signal.throwIfAborted();
        }
      } finally {
        seed.dispose();
      }
      return sum / images;
    },
    dispose: () => run.dispose(),
  };
}

/** Every tensor of a batch has a row for each image. */
const imagesIn = (batch: Batch): number => Object.values(batch)[0]!.shape[0]!;
