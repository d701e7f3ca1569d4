/** Orders of axes: axis i of a tensor is axis `order[i]` of what is stored. */

export type AxisOrder = readonly number[];

/** What images are stored as, channels first, while a recording sees their channels last. */
export const CHANNELS_FIRST: AxisOrder = [0, 2, 3, 1];

export function plainOrder(rank: number): AxisOrder {
  return Array.from({ length: rank }, (_, axis) => axis);
}

export function inverseOrder(order: AxisOrder): AxisOrder {
  return order.map((_, axis) => order.indexOf(axis));
}

export function sameOrder(a: AxisOrder, b: AxisOrder): boolean {
  return a.length === b.length && a.every((axis, i) => axis === b[i]);
}

/** The order after a transposition, whose axis i is axis `permutation[i]` of what it gets. */
export function composeOrders(order: AxisOrder, permutation: AxisOrder): AxisOrder {
  return permutation.map((axis) => order[axis] as number);
}

/** Items of a tensor's axes as they lie in what is stored. */
export function storedItems<T>(items: readonly T[], order: AxisOrder): T[] {
  return inverseOrder(order).map((axis) => items[axis] as T);
}

/** The order that is left without some of a tensor's axes, which what is stored loses as well. */
export function withoutAxes(order: AxisOrder, axes: readonly number[]): AxisOrder {
  const kept = order.filter((_, axis) => !axes.includes(axis));
  return kept.map((stored) => kept.filter((other) => other < stored).length);
}

/** Whether a transposition moves no axis that has more than one item past another, so that it moves no values. */
export function movesNothing(shape: readonly number[], permutation: AxisOrder): boolean {
  const long = permutation.filter((axis) => shape[axis] !== 1);
  return long.every((axis, i) => i === 0 || axis > (long[i - 1] as number));
}

/** A transposition of values that are at hand. */
export function transposeValues<T extends Float32Array | Int32Array | Uint8Array>(
  values: T,
  shape: readonly number[],
  permutation: AxisOrder,
): T {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const sizes = permutation.map((axis) => shape[axis] as number);
  const steps = permutation.map((axis) => strides[axis] as number);
  const result = values.slice() as T;
  const index = sizes.map(() => 0);
  let from = 0;
  for (let to = 0; to < values.length; to++) {
    result[to] = values[from] as number;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += steps[axis] as number;
      if (++(index[axis] as number) < (sizes[axis] as number)) break;
      from -= (steps[axis] as number) * (sizes[axis] as number);
      index[axis] = 0;
    }
  }
  return result;
}
