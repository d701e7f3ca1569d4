/** A function as a SavedModel, TensorFlow's format for a graph with its weights. */
import { join } from 'node:path';
import { makeFolder, writeFileAtomically } from '@pyramidal/files';
import { freeze, type FrozenGraph } from './freeze';
import { DT_UINT8, encodeSavedModel, type GraphNode } from '../record/graph-def';
import type { TensorTree } from '../record/tensor-tree';

export interface SavedModelOptions {
  /** Inputs of whole numbers from 0 to 255, which the model takes as uint8, a type that TensorFlow.js does not have. */
  readonly bytes?: readonly string[];
}

/**
 * Writes a function as a standard SavedModel, its weights inside, for TensorFlow Serving or Python:
 * `tf.saved_model.load(folder).signatures['serving_default'](images=...)`.
 * @param fn an inference function of named tensors, under the rules of `compile`.
 * @param inputs tensors of the shapes and types that the model will take; their names become the signature's.
 * @throws RuntimeError if another engine than TensorFlow is open, or if `fn` changes a variable; FileError if the file
 * cannot be written, an older one then stays as it was.
 */
export function exportSavedModel<I extends TensorTree>(
  fn: (inputs: I) => TensorTree,
  inputs: I,
  folder: string,
  { bytes = [] }: SavedModelOptions = {},
): void {
  const frozen = freeze(fn, inputs, { caller: 'exportSavedModel', portable: false });
  const { nodes, ...signature } = bytes.reduce(takeBytes, frozen);
  makeFolder(folder);
  writeFileAtomically(join(folder, 'saved_model.pb'), encodeSavedModel(nodes, signature));
}

/** The graph with bytes as an input; what it had as such before is made of them. */
function takeBytes({ nodes, inputs, ...graph }: FrozenGraph, input: string): FrozenGraph {
  const { ref, dtype, shape } = inputs[input]!;
  const [name] = ref.split(':') as [string];
  const bytes = `${name}/bytes`;
  const type = { type: DT_UINT8 };
  const replacement: GraphNode[] = [
    { name: bytes, op: 'Placeholder', inputs: [], attrs: { dtype: type, shape: { shape } } },
    {
      name,
      op: 'Cast',
      inputs: [`${bytes}:0`],
      attrs: { SrcT: type, DstT: { type: dtype }, Truncate: { bool: false } },
    },
  ];
  return {
    ...graph,
    nodes: nodes.flatMap((node) => (node.name === name ? replacement : [node])),
    inputs: { ...inputs, [input]: { ref: `${bytes}:0`, dtype: DT_UINT8, shape } },
  };
}
