/** Opens TensorFlow.js's WebGPU engine in Node, on a graphics card of any maker. */
import * as tf from '@tensorflow/tfjs-core';
import { findAdapter, isSoftware } from './adapters';
import { loadDawn, type Dawn } from './dawn';

/** What the WebGPU engine was opened on. */
export interface OpenedWebGpu {
  /** The adapter, as its driver calls it. */
  readonly adapter: string;
}

/**
 * Makes `webgpu` the current TensorFlow.js backend, with every kernel that training needs. Values are read asynchronously,
 * with `data()` or `array()`; `dataSync()` gives those only that were read before. A second call keeps the device of the first.
 * @throws RuntimeError in one line: the package `webgpu` is missing, or there is no adapter.
 */
export async function openWebGpu(): Promise<OpenedWebGpu> {
  opening ??= open().catch((error: unknown) => {
    opening = undefined;
    throw error;
  });
  const opened = await opening;
  await tf.setBackend('webgpu');
  return opened;
}

let opening: Promise<OpenedWebGpu> | undefined;

async function open(): Promise<OpenedWebGpu> {
  const dawn = await loadDawn();
  const { adapter, gpu, name } = await findAdapter(dawn);
  const device = await adapter.requestDevice(descriptorOf(adapter));
  // Loaded here and not above, because loading registers: the gradients (no smaller package has them) and the kernels.
  await import('@tensorflow/tfjs');
  addGlobals(dawn);
  const { DeviceBackend } = await import('./device-backend.js');
  const { registerKernels } = await import('./kernels/register-kernels.js');
  const { convolveByProducts } = await import('./imitation.js');
  registerKernels();
  const isImitated = isSoftware(name);
  if (isImitated) convolveByProducts();
  if (tf.findBackendFactory('webgpu')) tf.removeBackend('webgpu'); // the package's own, where there is a `navigator.gpu`
  tf.registerBackend('webgpu', () => withNavigator(gpu, () => new DeviceBackend(device, adapter.info, isImitated)));
  return { adapter: name };
}

/** All that the adapter allows: the defaults suit the smallest device there is. */
function descriptorOf({ limits, features }: GPUAdapter): GPUDeviceDescriptor {
  const names = [
    'maxBufferSize',
    'maxComputeInvocationsPerWorkgroup',
    'maxComputeWorkgroupSizeX',
    'maxComputeWorkgroupsPerDimension',
    'maxComputeWorkgroupStorageSize',
    'maxStorageBufferBindingSize',
    'maxStorageBuffersPerShaderStage',
  ] as const;
  return {
    requiredFeatures: features.has('timestamp-query') ? ['timestamp-query'] : [],
    requiredLimits: Object.fromEntries(names.map((name) => [name, limits[name]])),
  };
}

/** The backend looks for `GPUBuffer` and the like where browsers have them. */
function addGlobals({ globals }: Dawn): void {
  for (const [name, value] of Object.entries(globals)) {
    if (name.startsWith('GPU') && !(name in globalThis)) Object.assign(globalThis, { [name]: value });
  }
}

/** The backend asks whether there is a `navigator.gpu`; other code would take that for a browser. */
function withNavigator<T>(gpu: GPU, body: () => T): T {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  try {
    return body();
  } finally {
    if (before === undefined) Reflect.deleteProperty(globalThis, 'navigator');
    else Object.defineProperty(globalThis, 'navigator', before);
  }
}
