/** A function as an ONNX model, the format that other runtimes than TensorFlow take. */
import { dirname } from 'node:path';
import { makeFolder, writeFileAtomically } from '@pyramidal/files';
import { RuntimeError } from '@pyramidal/kernels/engine';
import { freeze } from '../export/freeze';
import type { TensorTree } from '../record/tensor-tree';
import { lowerRecording, type OnnxOptions } from './lower-recording';
import { encodeOnnxModel } from './onnx-model';

/** Protocol buffers end at 2 GiB, which is what a model with its weights inside may have. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * Writes a function as an ONNX model of standard operations (opset 20), its weights inside, for ONNX Runtime and others.
 * @param fn an inference function of named tensors, under the rules of `compile`.
 * @param inputs tensors of the shapes and types that the model will take; their names and those of what `fn` gives become
 * the model's.
 * @throws RuntimeError if another engine than TensorFlow is open, if `fn` changes a variable, if it uses an operation that
 * is not known in ONNX, or if the model is larger than 2 GiB; FileError if the file cannot be written, an older one then
 * stays as it was.
 */
export function exportOnnxModel<I extends TensorTree>(
  fn: (inputs: I) => TensorTree,
  inputs: I,
  file: string,
  options: OnnxOptions = {},
): void {
  const model = lowerRecording(freeze(fn, inputs, { caller: 'exportOnnxModel', portable: true }), options);
  const bytes = [...model.initializers.values()].reduce((sum, { values }) => sum + values.byteLength, 0);
  if (bytes > MAX_BYTES) {
    throw new RuntimeError(`exportOnnxModel: expected weights of at most 2 GiB, received ${bytes} bytes`);
  }
  makeFolder(dirname(file));
  writeFileAtomically(file, encodeOnnxModel(model));
}
