import * as tf from '@tensorflow/tfjs-core';
import { openWasm } from './open-wasm';
import type { OpenedWasm } from './open-wasm';

describe('openWasm', () => {
  let opened: OpenedWasm;
  const handlers = () => [process.listenerCount('uncaughtException'), process.listenerCount('unhandledRejection')];
  const before = handlers();

  beforeAll(async () => {
    opened = await openWasm({ threads: 2 });
  });

  it('starts the threads that were asked for', () => {
    expect(opened).toEqual({ threads: 2, simd: true });
    expect(tf.getBackend()).toBe('wasm');
  });

  it('leaves no process handler and no global behind', () => {
    expect(handlers()).toEqual(before);
    expect('Worker' in globalThis).toBe(false);
  });
});
