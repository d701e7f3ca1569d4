/** The images of a batch one by one. */
import * as tf from '@tensorflow/tfjs-core';

/** A tensor without its first axis. */
type Row<T extends tf.Tensor | undefined> = T extends undefined
  ? undefined
  : T extends tf.Tensor4D
    ? tf.Tensor3D
    : T extends tf.Tensor3D
      ? tf.Tensor2D
      : T extends tf.Tensor2D
        ? tf.Tensor1D
        : tf.Tensor;

/**
 * What several tensors of a batch hold for each image; each receives the gradient of its images.
 * @param parts [N, ...] each. @returns N times [...] by name.
 */
export function imagesOf<P extends Readonly<Record<string, tf.Tensor>>>(
  parts: P,
): { readonly [K in keyof P]: Row<P[K]> }[] {
  const count = Object.values(parts)[0]?.shape[0] ?? 0;
  return Array.from({ length: count }, (_, image) => {
    // Slices, as tf.unstack has no gradient where an image has none.
    const own = Object.entries(parts).map(([name, part]) => [name, tf.squeeze(tf.slice(part, image, 1), [0])]);
    return Object.fromEntries(own) as { readonly [K in keyof P]: Row<P[K]> };
  });
}
