/** Named tensors and lists of them, flattened by path and put together again. */
import * as tf from '@tensorflow/tfjs-core';

/** Named tensors and lists of tensors, as steps take and return them. */
export type TensorTree = { readonly [name: string]: tf.Tensor | readonly tf.Tensor[] };

/** The tensors by path: `name`, or `name.0`, `name.1` in a list. */
export function flatten(tree: TensorTree): Map<string, tf.Tensor> {
  const flat = new Map<string, tf.Tensor>();
  mapTree(tree, (tensor, path) => {
    flat.set(path, tensor);
    return tensor;
  });
  return flat;
}

/** A tree of the same form, with what `f` makes of each tensor, any shape, and its path. */
export function mapTree<T>(
  tree: TensorTree,
  f: (tensor: tf.Tensor, path: string) => T,
): Record<string, T | readonly T[]> {
  return Object.fromEntries(
    Object.entries(tree).map(([name, item]) => [
      name,
      item instanceof tf.Tensor ? f(item, name) : item.map((tensor, index) => f(tensor, `${name}.${index}`)),
    ]),
  );
}

/** The tree with the given paths, the inverse of `flatten`; tensors of any shape. */
export function unflatten(flat: Iterable<readonly [path: string, tensor: tf.Tensor]>): TensorTree {
  const tree: Record<string, tf.Tensor | tf.Tensor[]> = {};
  for (const [path, tensor] of flat) {
    const [, name, index] = /^(.*)\.(\d+)$/.exec(path) ?? [];
    if (name === undefined) tree[path] = tensor;
    else ((tree[name] ??= []) as tf.Tensor[])[Number(index)] = tensor;
  }
  return tree;
}

/** `tf.tidy` for results that its type does not know; tensors in records and lists of them stay. */
export function inTidy<T>(fn: () => T): T {
  return tf.tidy(fn as () => tf.TensorContainer) as T;
}
