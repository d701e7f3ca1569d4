/** The public names of @pyramidal/runtime. */
export { ENGINE_CHOICES, type Engine, type EngineChoice } from './engines';
export { openRuntime, type Runtime, type RuntimeOptions, type Versions } from './open-runtime';
export { RuntimeError } from '@pyramidal/kernels/engine';
