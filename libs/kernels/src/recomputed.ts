/** Gradient checkpointing (Chen et al. 2016): less memory for a second forward pass. */
import * as tf from '@tensorflow/tfjs-core';
import { nativeOps } from '#native-ops';

/** A function that runs twice: forward, and again for the gradient. */
export interface Recomputation<T extends tf.Tensor, U extends tf.Tensor> {
  /** What runs forward. */
  readonly run: (x: T, constants: readonly tf.Tensor[]) => U;
  /** The same once more, for the gradient; it has no effects besides its value. */
  readonly runAgain: (x: T, constants: readonly tf.Tensor[]) => U;
  /** What both read besides and the gradient need not reach: it is kept as x is. */
  readonly constants?: readonly tf.Tensor[];
  /** What both read besides x and the gradient has to reach. */
  readonly variables: readonly tf.Variable[];
}

/**
 * `run(x)`, of which nothing is kept for the gradient but what it reads: the backward pass runs it again (Chen et al. 2016,
 * "Training Deep Nets with Sublinear Memory Cost"). Memory for the price of a second forward pass, numbers unchanged.
 */
export function recomputed<T extends tf.Tensor, U extends tf.Tensor>(
  x: T,
  { run, runAgain, variables, constants = [] }: Recomputation<T, U>,
): U {
  const forward = tf.customGrad((...args) => {
    const save = args.at(-1) as tf.GradSaveFunc;
    save([x, ...constants]);
    // Before dy is there, the same nodes would be found in the graph already, and their values kept after all.
    const gradFunc = (dy: tf.Tensor, [saved, ...kept]: tf.Tensor[]): tf.Tensor[] => {
      const input = nativeOps()?.after(saved as T, dy) ?? tf.clone(saved as T);
      const inputs = [input, ...variables];
      return gradientsWithin(() => runAgain(input, kept), inputs, dy);
    };
    return { value: run(x, constants), gradFunc };
  });
  return forward(x, ...variables) as U;
}

/** Gradients taken inside a backward pass, whose tape is put aside meanwhile; zeros where y does not depend on an x. */
function gradientsWithin(run: () => tf.Tensor, xs: tf.Tensor[], dy: tf.Tensor): tf.Tensor[] {
  const engine = tf.engine();
  const { activeTape } = engine.state;
  try {
    const { grads } = engine.gradients(run, xs, dy);
    return grads.map((gradient: tf.Tensor | undefined, i) => gradient ?? tf.zerosLike(xs[i]!));
  } finally {
    engine.state.activeTape = activeTape;
  }
}
