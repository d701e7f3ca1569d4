/** Something small whose numbers a card and a processor should share. */
import type { Precision } from '@pyramidal/graph';
import * as tf from '@tensorflow/tfjs-core';

/** How a case is computed. */
export interface How {
  /** As one graph, or operation by operation. */
  readonly compiled: boolean;
  readonly precision: Precision;
}

/** Values by what they are of. */
export type Numbers = Readonly<Record<string, readonly number[]>>;

export interface Case {
  readonly kind: 'kernel' | 'detector' | 'head' | 'family';
  readonly name: string;
  /** The same numbers every time; disposes of all that it makes. */
  run(how: How): Promise<Numbers>;
}

/** The values of tensors, which end with this. */
export async function numbersOf(tensors: tf.NamedTensorMap): Promise<Numbers> {
  const read = async ([name, tensor]: [string, tf.Tensor]) => [name, Array.from(await tensor.data())] as const;
  const numbers = Object.fromEntries(await Promise.all(Object.entries(tensors).map(read)));
  tf.dispose(tensors);
  return numbers;
}
