/** The size of a forward pass in multiply-adds, counted while it runs. */
import * as tf from '@tensorflow/tfjs-core';
import { inSingleOperations } from '@pyramidal/kernels';

/** The multiply-adds of one run; biases, norms, activations and resizing do not count. */
export interface MultiplyAdds {
  readonly conv: number;
  readonly linear: number;
}

/**
 * Counts what the convolutions and linear layers of a forward pass multiply, by watching it run; products of
 * activations are not included. Compiled steps are not seen: their operations do not pass here.
 */
export function countMultiplyAdds(run: () => tf.TensorContainer): MultiplyAdds {
  const counts = { conv: 0, linear: 0 };
  const engine = tf.engine();
  const { runKernel } = engine;
  // Shadows the method of the prototype while `run` runs.
  engine.runKernel = (name, inputs, attributes) => {
    const result = runKernel.call(engine, name, inputs, attributes);
    count(counts, name, inputs, result as tf.Tensor);
    return result as never;
  };
  try {
    tf.dispose(tf.tidy(() => inSingleOperations(run)));
  } finally {
    delete (engine as Partial<typeof engine>).runKernel;
  }
  return counts;
}

function count(counts: { conv: number; linear: number }, name: string, inputs: tf.NamedTensorMap, y: tf.Tensor): void {
  if (name === 'Conv2D') {
    const [height, width, channels] = inputs['filter']!.shape as [number, number, number];
    counts.conv += y.size * height * width * channels;
  } else if (name === 'DepthwiseConv2dNative') {
    const [height, width] = inputs['filter']!.shape as [number, number];
    counts.conv += y.size * height * width;
  } else if (name === 'BatchMatMul') {
    const { a, b } = inputs as { a: tf.Tensor; b: tf.Tensor };
    const size = y.size * a.shape.at(-1)!;
    // Rows by a weight or a part of one; a weight for each group of a convolution.
    if (a.rank === 2) counts.linear += size;
    else if (b instanceof tf.Variable) counts.conv += size;
  }
}
