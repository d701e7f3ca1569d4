/** tfjs-node's backend on an addon that was compiled here. */
import * as tf from '@tensorflow/tfjs-core';
import { existsSync } from 'node:fs';
import type { NativeEngine } from '../native-engine';
import type { Installation } from '../install/installation';
import { whyNoCard } from '../cards';
import { NATIVE_BACKEND, RuntimeError } from '@pyramidal/kernels/engine';
import { type BackendClass, fetchingValues } from './fetching-values';
import { type LoadedAddon, loadAddon } from './load-addon';
import { provideLegacyUtilities } from './node-shim';

/**
 * Makes an installed native engine the backend of this tfjs-core.
 * @throws RuntimeError when it does not load, or `tensorflow-gpu` finds no GPU.
 */
export async function openNative(
  engine: NativeEngine,
  installation: Installation,
  threads?: number,
): Promise<LoadedAddon> {
  // Before loading, which would keep this process from opening another library.
  if (engine === 'tensorflow-gpu' && !hasNvidiaDriver()) {
    throw new RuntimeError('tensorflow-gpu: there is no NVIDIA driver; install it, or use the engine tensorflow');
  }
  const loaded = loadAddon(engine, installation, threads);
  if (engine === 'tensorflow-gpu' && !loaded.binding.isUsingGpuDevice()) {
    throw new RuntimeError(`tensorflow-gpu: ${await whyNoCard(installation.library)}`);
  }
  if (tf.findBackend(NATIVE_BACKEND) === null) await register(loaded);
  await tf.setBackend(NATIVE_BACKEND);
  return loaded;
}

/** On Linux the driver shows as a device file, under WSL as another; elsewhere TensorFlow has to find out. */
const hasNvidiaDriver = () =>
  process.platform !== 'linux' || ['/dev/nvidiactl', '/dev/dxg'].some((path) => existsSync(path));

/** tfjs-node's own entry point would load the addon that is not in its package, so its parts are put together here. */
async function register({ binding }: LoadedAddon): Promise<void> {
  provideLegacyUtilities();
  const { NodeJSKernelBackend } = await import('#tfjs-node/dist/nodejs_kernel_backend.js');
  await import('#tfjs-node/dist/register_all_kernels.js');
  const Backend = fetchingValues(NodeJSKernelBackend as unknown as BackendClass);
  const backend = new Backend(binding, '@tensorflow/tfjs-node-gpu');
  tf.registerBackend(NATIVE_BACKEND, () => backend, 3);
}
