/** A tensor of a graph that is being recorded. */
import type { ConstantTensor } from './graph-def';

/** What the builder knows of a tensor: where the graph computes it, never its values unless it is a constant. */
export interface SymbolicTensor {
  /** `node:output`. */
  readonly ref: string;
  readonly shape: readonly number[];
  /** The shape that the node gives, where a reshape to `shape` is still owed. */
  readonly owed?: readonly number[];
  readonly dtype: number;
  readonly constant?: ConstantTensor['values'];
}
