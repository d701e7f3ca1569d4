/** What tfjs-node keeps of a tensor's value. */
import { type EngineBackend, NO_ID, type TensorRecord } from '@pyramidal/kernels/engine';
import type * as tf from '@tensorflow/tfjs-core';

/** tfjs-node's record of the value of a tensor, any shape. @throws Error if it is disposed of. */
export function infoOf(backend: EngineBackend, tensor: tf.TensorInfo): TensorRecord {
  const info = backend.tensorMap.get(tensor.dataId);
  if (info === undefined) throw new Error(`a tensor of shape [${tensor.shape.join()}] is disposed`);
  return info;
}

/** The addon's id of a value, which is fetched if it lives elsewhere. */
export function idOfValue(info: TensorRecord): number {
  if (info.id === NO_ID) info.home?.fetch(info);
  return info.id;
}

/** Makes sure that no other tensor shares the variable's value, so that the value may change in place. */
export function giveOwnValue(backend: EngineBackend, variable: tf.Variable): void {
  const info = infoOf(backend, variable);
  if (info.refCount <= 1) return;
  const { binding } = backend;
  const attrs = [{ name: 'T', type: binding.TF_ATTR_TYPE, value: info.dtype }];
  const [copy] = binding.executeOp('Identity', attrs, backend.getInputTensorIds([variable]), 1);
  if (copy === undefined) return;
  const tensor = backend.createOutputTensor(copy);
  variable.assign(tensor);
  tensor.dispose();
}
