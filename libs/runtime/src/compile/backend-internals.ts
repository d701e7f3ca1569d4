import * as tf from '@tensorflow/tfjs-core';
import type { NativeBinding } from '../native/binding';

/** What tfjs-node keeps per tensor: `id` is the addon's; `values` are those not yet handed over to it. */
export interface TensorInfo {
  readonly shape: number[];
  readonly dtype: number;
  values: tf.backend_util.BackendValues | null;
  id: number;
  refCount: number;
}

/** The parts of tfjs-node's backend that recording and sessions reach into, private in its types. */
export interface BackendInternals {
  binding: NativeBinding;
  readonly tensorMap: { get(dataId: object): TensorInfo | undefined; has(dataId: object): boolean };
  getInputTensorIds(tensors: tf.TensorInfo[]): number[];
  createOutputTensor(metadata: { id: number; shape: number[]; dtype: number }): tf.Tensor;
  readSync(dataId: object): tf.backend_util.BackendValues;
  read(dataId: object): Promise<tf.backend_util.BackendValues>;
}

/** The active engine's backend if it is TensorFlow's, else null. */
export function backendInternals(): BackendInternals | null {
  return tf.getBackend() === 'tensorflow' ? (tf.backend() as unknown as BackendInternals) : null;
}

/** tfjs-node's record of a tensor's value. */
export function infoOf(backend: BackendInternals, tensor: tf.TensorInfo): TensorInfo {
  const info = backend.tensorMap.get(tensor.dataId);
  if (info === undefined) throw new Error(`a tensor of shape [${tensor.shape.join()}] is disposed`);
  return info;
}

/** Makes sure that no other tensor shares the variable's value, so that the value may change in place. */
export function giveOwnValue(backend: BackendInternals, variable: tf.Variable): void {
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
