/** The engines of TensorFlow.js that a browser has. */
import * as tf from '@tensorflow/tfjs-core';

/** What runs a backbone in a browser, the fastest first. */
export const ENGINES = ['webgpu', 'webgl', 'wasm'] as const;
export type Engine = (typeof ENGINES)[number];

export interface OpenedEngine {
  readonly engine: Engine;
  /** What computes, in few words. */
  readonly detail: string;
}

const SOFTWARE_RENDERERS = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** Whether an engine computes on a real graphics processor; one that software imitates is slower than WebAssembly. */
const HAS_HARDWARE: Record<Engine, () => Promise<boolean>> = {
  webgpu: async () => {
    const adapter = await webGpuAdapter();
    return adapter !== undefined && !adapter.info.isFallbackAdapter;
  },
  webgl: async () => {
    const context = new OffscreenCanvas(1, 1).getContext('webgl2', { failIfMajorPerformanceCaveat: true });
    const names = context?.getExtension('WEBGL_debug_renderer_info');
    const renderer = context && names ? String(context.getParameter(names.UNMASKED_RENDERER_WEBGL)) : '';
    return Boolean(context?.getExtension('EXT_color_buffer_float')) && !SOFTWARE_RENDERERS.test(renderer);
  },
  wasm: async () => true,
};

const OPEN: Record<Engine, () => Promise<string>> = { webgpu: openWebGpu, webgl: openWebGl, wasm: openWasm };

/**
 * Makes an engine the current TensorFlow.js backend; its code is fetched when it is first asked for.
 * @param choice `auto` takes the fastest that works here.
 * @throws Error in one line: why the engine asked for cannot be had.
 */
export async function openEngine(choice: Engine | 'auto'): Promise<OpenedEngine> {
  if (choice !== 'auto') return { engine: choice, detail: await OPEN[choice]() };
  for (const engine of ENGINES) {
    if (!(await HAS_HARDWARE[engine]().catch(() => false))) continue;
    const detail = await OPEN[engine]().catch(() => undefined);
    if (detail !== undefined) return { engine, detail };
  }
  throw new Error('this browser has neither WebGPU nor WebGL 2 nor WebAssembly with vector instructions');
}

/** As browsers have it now; the types that TensorFlow.js brings are older. */
interface Adapter {
  readonly info: { readonly vendor: string; readonly description: string; readonly isFallbackAdapter: boolean };
}

async function webGpuAdapter(): Promise<Adapter | undefined> {
  return ((await navigator.gpu?.requestAdapter()) ?? undefined) as unknown as Adapter | undefined;
}

async function openWebGpu(): Promise<string> {
  const adapter = await webGpuAdapter();
  if (!adapter) throw new Error('webgpu: this browser offers no adapter; choose webgl or wasm');
  await import('@tensorflow/tfjs-backend-webgpu');
  await start('webgpu');
  return adapter.info.description || adapter.info.vendor || 'unnamed adapter';
}

async function openWebGl(): Promise<string> {
  await import('@tensorflow/tfjs-backend-webgl');
  tf.env().set('WEBGL_USE_SHAPES_UNIFORMS', true); // programs serve every shape, so that fewer are compiled
  await start('webgl');
  return tf.env().getBool('WEBGL_RENDER_FLOAT32_CAPABLE') ? '32-bit floats' : '16-bit floats: features are approximate';
}

async function openWasm(): Promise<string> {
  const [wasm, plain, simd, threaded] = await Promise.all([
    import('@tensorflow/tfjs-backend-wasm'),
    import('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url'),
    import('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'),
    import('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url'),
  ]);
  wasm.setWasmPaths({
    'tfjs-backend-wasm.wasm': plain.default,
    'tfjs-backend-wasm-simd.wasm': simd.default,
    'tfjs-backend-wasm-threaded-simd.wasm': threaded.default,
  });
  await start('wasm');
  const threads = wasm.getThreadsCount();
  return threads === 1 ? '1 thread' : `${threads} threads`;
}

async function start(engine: Engine): Promise<void> {
  const started = await tf.setBackend(engine).catch(() => false);
  if (!started) throw new Error(`${engine}: this browser cannot start it; choose ${others(engine)}`);
}

const others = (engine: Engine): string => ENGINES.filter((other) => other !== engine).join(' or ');
