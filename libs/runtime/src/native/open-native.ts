import * as tf from '@tensorflow/tfjs-core';
import { createRequire } from 'node:module';
import type { NativeEngine } from '../engines';
import type { Installation } from '../install/installation';
import { RuntimeError } from '../runtime-error';
import { type NativeBinding, nativeHandle, setNativeHandle } from './binding';
import { restoreRemovedUtilities } from './node-shim';
import { outerProcess } from './outer-process';

/** tfjs-node's kernels look their backend up under this name. */
const BACKEND = 'tensorflow';

/**
 * Loads an installed addon, once per process, and makes it the backend of this tfjs-core. Thread counts and the log
 * level reach TensorFlow through its environment variables and hold from the first load on.
 */
export async function openNative(engine: NativeEngine, installation: Installation, threads?: number): Promise<void> {
  if (!nativeHandle()) {
    const binding = loadAddon(engine, installation, threads);
    restoreRemovedUtilities();
    const { NodeJSKernelBackend } = await import('@tensorflow/tfjs-node/dist/nodejs_kernel_backend.js');
    await import('@tensorflow/tfjs-node/dist/register_all_kernels.js');
    const packageName = engine === 'tensorflow-gpu' ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node';
    const backend = new NodeJSKernelBackend(binding as never, packageName);
    tf.registerBackend(BACKEND, () => backend, 3);
    setNativeHandle({ binding, backend });
  }
  await tf.setBackend(BACKEND);
  await tf.ready();
}

function loadAddon(engine: NativeEngine, installation: Installation, threads: number | undefined): NativeBinding {
  const { env } = outerProcess();
  env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  if (engine === 'tensorflow') env.CUDA_VISIBLE_DEVICES = '-1';
  if (threads) {
    env.TF_NUM_INTRAOP_THREADS = String(threads);
    env.TF_NUM_INTEROP_THREADS = String(threads);
  }
  try {
    return createRequire(__filename)(installation.addon) as NativeBinding;
  } catch (error) {
    throw new RuntimeError(
      `the native engine does not load: ${(error as Error).message}; run \`pyramidal-runtime doctor\``,
    );
  }
}
