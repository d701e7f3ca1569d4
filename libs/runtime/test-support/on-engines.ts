import * as tf from '@tensorflow/tfjs-core';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../src/engines';
import { cacheFolder } from '../src/install/cache-folder';
import { openRuntime } from '../src/open-runtime';

/** Whether native TensorFlow is installed. */
export const hasNative = existsSync(join(cacheFolder(), 'installed'));

/** Describes `body` once for each engine that this machine has, with that engine open. */
export function onEngines(name: string, body: (engine: Engine) => void, engines: readonly Engine[] = ALL): void {
  for (const engine of engines) {
    const isMissing = engine === 'tensorflow' && !hasNative;
    const block = isMissing ? describe.skip : describe;
    block(`${name} on ${engine}${isMissing ? ' (skipped: the native engine is not installed)' : ''}`, () => {
      beforeAll(() => openRuntime({ engine }));
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
