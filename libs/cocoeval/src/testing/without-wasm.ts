/** Modules as they work where WebAssembly is missing, or a page does not allow it. */
import type * as kernels from '../wasm/kernels';

/** Loads modules anew in such a place, for good. */
export function withoutWasm<T>(load: () => T): T {
  const scope = globalThis as { WebAssembly?: unknown };
  const { WebAssembly } = scope;
  scope.WebAssembly = undefined;
  try {
    let loaded: T | undefined;
    jest.isolateModules(() => {
      loaded = load();
      const { Kernels } = jest.requireActual<typeof kernels>('../wasm/kernels');
      if (Kernels.create() !== undefined) throw new Error('expected no kernels');
    });
    return loaded as T;
  } finally {
    scope.WebAssembly = WebAssembly;
  }
}
