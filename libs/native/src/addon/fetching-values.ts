/** tfjs-node's backend with tensors whose values may live outside its addon. */
import type * as tf from '@tensorflow/tfjs-core';
import { type EngineBackend, type EngineBinding, NO_ID } from '@pyramidal/kernels/engine';

export type BackendClass = new (binding: EngineBinding, packageName: string) => EngineBackend & tf.KernelBackend;

/** The class of backends that fetch a value into the addon before it is read or computed with. */
export function fetchingValues(Base: BackendClass): BackendClass {
  return class extends Base {
    override getInputTensorIds(tensors: tf.TensorInfo[]): number[] {
      for (const { dataId } of tensors) this.fetch(dataId);
      return super.getInputTensorIds(tensors);
    }

    override readSync(dataId: object): tf.backend_util.BackendValues {
      this.fetch(dataId);
      return super.readSync(dataId);
    }

    private fetch(dataId: object): void {
      const record = this.tensorMap.has(dataId) ? this.tensorMap.get(dataId) : undefined;
      if (record?.home !== undefined && record.id === NO_ID) record.home.fetch(record);
    }
  };
}
