/** Specs that run once on each engine that the machine has, also in libraries that the runtime is built on. */
import * as tf from '@tensorflow/tfjs-core';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { closeOnnx } from './onnx-session';

type Engine = 'cpu' | 'wasm' | 'tensorflow';

/** Named at run time only: the runtime imports the libraries whose specs run here. */
const load = (name: string) => createRequire(__filename)(name) as Record<string, (options?: object) => unknown>;

/** What of an opened engine specs of libraries below the runtime need. */
interface OpenedEngine {
  readonly jpegDecoder?: string | undefined;
}

/** Opens an engine as `openRuntime` does. */
export async function openEngine(engine: Engine, threads?: number): Promise<OpenedEngine> {
  return (await load('@pyramidal/runtime')['openRuntime']!({ engine, threads })) as OpenedEngine;
}

/** Opens the engine that this machine has. */
export async function openDefaultEngine(): Promise<void> {
  await load('@pyramidal/runtime')['openRuntime']!();
}

/** Whether native TensorFlow is installed. */
export const hasNative = (): boolean =>
  existsSync(join(load('@pyramidal/native')['cacheFolder']!() as string, 'installed'));

/** Describes `body` once for each engine that this machine has, with that engine open. */
export function onEngines(name: string, body: (engine: Engine) => void, engines: readonly Engine[] = ALL): void {
  for (const engine of engines) {
    const isMissing = engine === 'tensorflow' && !hasNative();
    const block = isMissing ? describe.skip : describe;
    block(`${name} on ${engine}${isMissing ? ' (skipped: the native engine is not installed)' : ''}`, () => {
      beforeAll(async () => void (await openEngine(engine)));
      afterAll(closeOnnx);
      body(engine);
    });
  }
}

const ALL: readonly Engine[] = ['cpu', 'wasm', 'tensorflow'];

/** Values between -1 and 1 that look random. */
export function waves(shape: number[], phase = 0): Float32Array {
  return Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(1 + phase + 12.9898 * i * i));
}

export function wavesTensor<R extends tf.Rank>(shape: tf.ShapeMap[R], phase = 0): tf.Tensor<R> {
  return tf.tensor(waves(shape, phase), shape);
}
