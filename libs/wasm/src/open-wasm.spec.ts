/** Opening the WebAssembly engine: threads, options, and nothing left behind in the process. */
import { spawnSync } from 'node:child_process';
import * as path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { openWasm } from './open-wasm';
import type { OpenedWasm } from './open-wasm';

const cwd = path.resolve(__dirname, '..');
const NODE = ['-C', '@pyramidal/source', '--import', 'tsx'];

describe('openWasm', () => {
  let opened: OpenedWasm;
  const handlers = () => [process.listenerCount('uncaughtException'), process.listenerCount('unhandledRejection')];
  const before = handlers();

  beforeAll(async () => {
    [opened] = await Promise.all([openWasm({ threads: 2 }), openWasm({ threads: 1 })]);
  });

  it('starts the threads that were asked for', () => {
    expect(opened).toEqual({ threads: 2, simd: true });
    expect(tf.getBackend()).toBe('wasm');
  });

  it('leaves no process handler and no global behind', () => {
    expect(handlers()).toEqual(before);
    expect('Worker' in globalThis).toBe(false);
  });

  it('keeps the engine that is open', async () => {
    const { backend } = tf.engine();
    expect(await openWasm({ threads: 1 })).toEqual(opened);
    expect(tf.engine().backend).toBe(backend);
  });

  it.each([0, -1, 1.5, NaN])('refuses %d threads', async (threads) => {
    await expect(openWasm({ threads })).rejects.toThrow(
      `openWasm: expected threads to be a whole number of 1 or more, received ${threads}`,
    );
  });

  it('lets the process end by itself, and unhandled errors be reported as ever', () => {
    const script = `
      const { openWasm } = require('./src/open-wasm.ts');
      openWasm({ threads: 2 }).then(({ threads }) => { console.log(String(threads)); if (FAIL) Promise.reject(new Error('a')); });`;
    const run = (fail: boolean) =>
      spawnSync(process.execPath, [...NODE, '-e', script.replace('FAIL', String(fail))], { encoding: 'utf8', cwd });
    expect(run(false)).toMatchObject({ status: 0, stdout: '2\n', stderr: '' });
    expect(run(true)).toMatchObject({ status: 1, stderr: expect.stringMatching(/Error: a\n.*at /) });
  });
});
