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

/** What several tensors of a batch hold for each image. @param parts [N, ...] each. @returns N times [...] by name. */
export function imagesOf<P extends Readonly<Record<string, tf.Tensor>>>(
  parts: P,
): { readonly [K in keyof P]: Row<P[K]> }[] {
  const rows = Object.entries<tf.Tensor>(parts).map(([name, part]) => [name, tf.unstack(part)] as const);
  const count = rows[0]?.[1].length ?? 0;
  return Array.from({ length: count }, (_, image) => {
    const own = rows.map(([name, each]) => [name, each[image]]);
    return Object.fromEntries(own) as { readonly [K in keyof P]: Row<P[K]> };
  });
}
