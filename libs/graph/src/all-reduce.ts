/** Sums over the processes of a cluster, by TensorFlow's collective operations. */
import * as tf from '@tensorflow/tfjs-core';
import { engineBackend, type EngineBackend, type OpAttribute, RuntimeError } from '@pyramidal/kernels/engine';
import { activeRecording } from './record/record';

/** Which sum it is: all workers give the same numbers. */
export interface AllReduceOptions {
  readonly workers: number;
  /** A number of the sum among those of the step, from 1 on. */
  readonly instance: number;
  /** Seconds that a worker waits for the others, after which its step fails; for ever if 0. */
  readonly timeout: number;
}

const GROUP = 1;

/**
 * The sum of every worker's x; carries no gradient. It runs in steps that are compiled with what `joinCluster` gives, and
 * waits for all workers. A worker that is gone makes the steps of the others fail at once.
 * @param x float32, of the same shape in all workers.
 * @throws RuntimeError outside of compiled steps.
 */
export function allReduceSum<T extends tf.Tensor>(x: T, { workers, instance, timeout }: AllReduceOptions): T {
  const backend = engineBackend();
  if (backend === null || activeRecording() === null) throw new RuntimeError('allReduceSum: expected a compiled step');
  return tf.tidy(() => {
    const numbers = [workers, GROUP, instance].map((number) => tf.scalar(number, 'int32'));
    return backend.executeSingleOutput('CollectiveReduceV2', attributes(backend, timeout), [x, ...numbers]) as T;
  });
}

function attributes({ binding }: EngineBackend, timeout: number): OpAttribute[] {
  const text = (name: string, value: string): OpAttribute => ({ name, type: binding.TF_ATTR_STRING, value });
  return [
    { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    text('merge_op', 'Add'),
    text('final_op', 'Id'),
    text('communication_hint', 'ring'),
    { name: 'timeout_seconds', type: binding.TF_ATTR_FLOAT, value: timeout },
  ];
}
