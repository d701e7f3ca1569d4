/** Which parameters a loss does not reach. */
import * as tf from '@tensorflow/tfjs-core';

/** Names of the parameters that a finite loss sends no gradient, a zero one, or one that is not finite. */
export function withoutGradient(
  parameters: ReadonlyMap<string, { readonly variable: tf.Variable }>,
  loss: () => tf.Scalar,
): string[] {
  const { value, grads } = tf.variableGrads(
    loss,
    [...parameters.values()].map(({ variable }) => variable),
  );
  const [total] = value.dataSync();
  const silent = [...parameters].filter(([, { variable }]) => {
    const gradient = grads[variable.name];
    if (gradient === undefined) return true;
    const norm = tf.tidy(() => tf.sum(tf.abs(gradient)).dataSync()[0]!);
    return !(norm > 0 && Number.isFinite(norm));
  });
  tf.dispose([value, grads]);
  if (!Number.isFinite(total)) throw new Error(`withoutGradient: expected a finite loss, received ${total}`);
  return silent.map(([name]) => name);
}
