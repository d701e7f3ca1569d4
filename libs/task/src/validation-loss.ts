/** The loss on validation images: forward passes as at inference, each image once, the same whenever it is measured. */
import type { SharedConfig } from '@pyramidal/config';
import { gathered, type Numbered, turnOf } from '@pyramidal/distributed';
import { compile } from '@pyramidal/graph';
import type { Batch, TrainStepOptions } from '@pyramidal/training';
import * as tf from '@tensorflow/tfjs-core';
import type { Team } from './team';
import type { BatchSource, InOrder } from './train-network';

/** What a loss is measured of. */
export interface Measured<Loaded extends InOrder, B extends Batch> {
  /** The loss of a batch as at inference: no statistics move, nothing is dropped; static. */
  readonly loss: TrainStepOptions<B>['loss'];
  /** Validation images without random changes, in batches. */
  readonly source: BatchSource<Loaded>;
}

interface ValidationLossOptions<Loaded extends InOrder, B extends Batch> extends Measured<Loaded, B> {
  readonly tensors: (loaded: Loaded) => B;
  readonly config: Pick<SharedConfig, 'runtime' | 'train'>;
  readonly team?: Team;
}

/** Measures the loss of a network as it stands. */
export interface ValidationLoss {
  /** The mean over the images. @throws the signal's reason if it aborts. */
  measure(signal: AbortSignal): Promise<number>;
  /** Frees its graphs; the network and the source stay. */
  dispose(): void;
}

export function validationLoss<Loaded extends InOrder, B extends Batch>(
  options: ValidationLossOptions<Loaded, B>,
): ValidationLoss {
  const { loss, source, tensors, config, team } = options;
  const { compile: isCompiled, precision, xla } = config.runtime;
  const evaluate = ({ seed, ...batch }: tf.NamedTensorMap) => ({ loss: loss(batch as B, seed as tf.Tensor1D).loss });
  const eager = Object.assign((inputs: tf.NamedTensorMap) => tf.tidy(() => evaluate(inputs)), { dispose: () => {} });
  const run = isCompiled ? compile(evaluate, { name: 'validationLoss', precision, session: { xla } }) : eager;
  /** Of every batch of this process: how many images it has, and their loss. */
  async function* losses(seed: tf.Tensor1D, signal: AbortSignal): AsyncGenerator<Numbered<[number, number]>> {
    for await (const loaded of source.batches({ epoch: 0, batch: 0, share: team && turnOf(team) })) {
      const batch = tensors(loaded);
      const count = imagesIn(batch);
      const value = run({ ...batch, seed }).loss;
      yield { number: loaded.batch, value: [count, (await value.data<'float32'>())[0]!] };
      tf.dispose([batch, value]);
      signal.throwIfAborted();
    }
  }
  return {
    async measure(signal) {
      // Detectors draw what they learn from: always the same here, so that losses compare.
      const seed = tf.tensor1d([config.train.seed, 0], 'int32');
      let [sum, images] = [0, 0];
      try {
        for await (const [count, value] of gathered(team, losses(seed, signal))) {
          sum += count * value;
          images += count;
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
