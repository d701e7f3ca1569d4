/** A function as a SavedModel, TensorFlow's format for a graph with its weights. */
import { join } from 'node:path';
import { makeFolder, writeFileAtomically } from '@pyramidal/files';
import { freeze } from './freeze';
import { encodeSavedModel } from '../record/graph-def';
import type { TensorTree } from '../record/tensor-tree';

/**
 * Writes a function as a standard SavedModel, its weights inside, for TensorFlow Serving or Python:
 * `tf.saved_model.load(folder).signatures['serving_default'](images=...)`.
 * @param fn an inference function of named tensors, under the rules of `compile`.
 * @param inputs tensors of the shapes and types that the model will take; their names become the signature's.
 * @throws RuntimeError if another engine than TensorFlow is open, or if `fn` changes a variable; FileError if the file
 * cannot be written, an older one then stays as it was.
 */
export function exportSavedModel<I extends TensorTree>(fn: (inputs: I) => TensorTree, inputs: I, folder: string): void {
  const { nodes, ...signature } = freeze(fn, inputs, { caller: 'exportSavedModel', portable: false });
  makeFolder(folder);
  writeFileAtomically(join(folder, 'saved_model.pb'), encodeSavedModel(nodes, signature));
}
