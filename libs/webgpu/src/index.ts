/** The public names of @pyramidal/webgpu. */
export { adapterNames, chosenAdapter, describeAdapter, isSoftware } from './adapters';
export { openWebGpu, type OpenedWebGpu } from './open-webgpu';
