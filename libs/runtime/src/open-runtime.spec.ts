/** Opening every engine, and which one is chosen where some are missing or broken. */
import * as tf from '@tensorflow/tfjs-core';
import { existsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as native from '@pyramidal/native';
import { type Installation, writeInstallation } from '@pyramidal/native';
import { hasNative } from '@pyramidal/testing';
import { fakeMachine, type FakeMachine } from '@pyramidal/testing/machine';
import { RuntimeError } from '@pyramidal/kernels/engine';
import type { Engine } from './engines';
import { openRuntime } from './open-runtime';

jest.mock('@pyramidal/native', () => {
  const whole = jest.requireActual<typeof native>('@pyramidal/native');
  return { ...whole, isInstalled: jest.fn(whole.isInstalled), openInstalled: jest.fn(whole.openInstalled) };
});

const ENGINES: Engine[] = [...(hasNative() ? (['tensorflow'] as const) : []), 'wasm', 'cpu'];

describe.each(ENGINES)('openRuntime with %s', (engine) => {
  it('opens it, again as well, and says what it is', async () => {
    await openRuntime({ engine });
    const runtime = await openRuntime({ engine, seed: 5 });
    expect(runtime).toMatchObject({ engine, seed: 5, versions: { tfjs: '4.22.0', node: process.versions.node } });
    expect(runtime.reason).toMatch(/^asked for/);
    expect(runtime.threads).toBeGreaterThanOrEqual(1);
    expect(tf.getBackend()).toBe(engine);
    if (engine === 'tensorflow') {
      expect(runtime.versions.tensorflow).toMatch(/^2\.\d+\.\d+$/);
      expect(existsSync(runtime.versions.library as string)).toBe(true);
    }
  });

  it('computes the same small numbers', async () => {
    await openRuntime({ engine });
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const a = tf.tensor2d([1, 2, 3, 4], [2, 2]);
      expect([...tf.matMul(a, tf.tensor2d([5, 6, 7, 8], [2, 2])).dataSync()]).toEqual([19, 22, 43, 50]);
      const image = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
      const filter = tf.tensor4d([1, 10, 100, 1000], [2, 2, 1, 1]);
      expect([...tf.conv2d(image, filter, 1, 'valid').dataSync()]).toEqual([4321]);
      expect([...tf.concat([a, tf.neg(a)], 1).dataSync()]).toEqual([1, 2, -1, -2, 3, 4, -3, -4]);
      expect([...tf.argMax(a, 1).dataSync()]).toEqual([1, 1]);
      expect([...tf.split(a, 2, 1)[1]!.dataSync()]).toEqual([2, 4]);
      const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.square(x)))(a);
      expect([...gradient.dataSync()]).toEqual([2, 4, 6, 8]);
    });
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('openRuntime', () => {
  const cacheBefore = process.env.PYRAMIDAL_CACHE;
  let machine: FakeMachine;
  beforeEach(() => {
    machine = fakeMachine();
    process.env.PYRAMIDAL_CACHE = machine.cache;
  });
  afterEach(() => {
    machine.remove();
    if (cacheBefore === undefined) delete process.env.PYRAMIDAL_CACHE;
    else process.env.PYRAMIDAL_CACHE = cacheBefore;
  });

  it('goes on with wasm where nothing is installed, and says what to do', async () => {
    const runtime = await openRuntime();
    expect(runtime.engine).toBe('wasm');
    expect(runtime.reason).toMatch(
      /^the fastest engine that is ready; tensorflow is not installed \(`pyramidal-runtime install`\)/,
    );
  });

  it('goes on with wasm where the installation is broken', async () => {
    await writeInstallation(machine.cache, brokenInstallation());
    const runtime = await openRuntime({ engine: 'auto' });
    expect(runtime.engine).toBe('wasm');
    expect(runtime.reason).toMatch(
      /; tensorflow needs to be installed again \(.*\): .*addon.node has 1 bytes, expected 3/,
    );
  });

  it('goes on with wasm where the native package lacks a part, and says so once', async () => {
    const lacking = new RuntimeError('this copy of @pyramidal/native lacks its sources; install it again');
    jest.mocked(native.isInstalled).mockImplementationOnce(() => {
      throw lacking;
    });
    jest.mocked(native.openInstalled).mockRejectedValueOnce(lacking);
    const { engine, reason } = await openRuntime();
    expect(engine).toBe('wasm');
    expect(reason).toMatch(
      /^the fastest engine that is ready; this copy of [^;]* lacks its sources; install it again$/,
    );
  });

  const itWithoutDriver = existsSync('/dev/nvidiactl') || existsSync('/dev/dxg') ? it.skip : it;

  itWithoutDriver('passes a GPU engine over where there is no driver, before it loads anything', async () => {
    await writeInstallation(machine.cache, { ...brokenInstallation(), engine: 'tensorflow-gpu', files: [] });
    expect((await openRuntime()).reason).toContain('; tensorflow-gpu: there is no NVIDIA driver;');
    await expect(openRuntime({ engine: 'tensorflow-gpu' })).rejects.toThrow(
      'tensorflow-gpu: there is no NVIDIA driver; install it, or use the engine tensorflow',
    );
  });

  it('does not go on when the engine was asked for', async () => {
    await expect(openRuntime({ engine: 'tensorflow' })).rejects.toThrow(
      'tensorflow is not installed (`pyramidal-runtime install`)',
    );
    await expect(openRuntime({ engine: 'tensorflow-gpu', library: '/my/tf' })).rejects.toThrow(
      'tensorflow-gpu is not installed (`pyramidal-runtime install --engine tensorflow-gpu --library /my/tf`)',
    );
    await writeInstallation(machine.cache, brokenInstallation());
    await expect(openRuntime({ engine: 'tensorflow' })).rejects.toThrow(
      /^tensorflow needs to be installed again \(`pyramidal-runtime install`\): .* has 1 bytes, expected 3$/,
    );
  });

  it('names the known engines, and numbers that make no sense', async () => {
    await expect(openRuntime({ engine: 'webgl' as never })).rejects.toThrow(
      "engine: expected one of auto, tensorflow, tensorflow-gpu, webgpu, wasm, cpu, received 'webgl'",
    );
    await expect(openRuntime({ threads: 0 })).rejects.toThrow(
      'threads: expected a whole number from 1 to 1024, received 0',
    );
    await expect(openRuntime({ seed: 1.5 })).rejects.toThrow(
      'seed: expected a whole number from 0 to 2147483647, received 1.5',
    );
  });

  it('draws a seed where none is given', async () => {
    const seeds = [await openRuntime({ engine: 'cpu' }), await openRuntime({ engine: 'cpu' })].map(({ seed }) => seed);
    expect(seeds[0]).not.toBe(seeds[1]);
  });

  function brokenInstallation(): Installation {
    const addon = join(machine.root, 'addon.node');
    writeFileSync(addon, 'abc');
    const files = [{ path: addon, bytes: 3, mtimeMs: 0 }];
    truncateSync(addon, 1);
    return { engine: 'tensorflow', origin: 'nowhere', library: machine.root, addon, tensorflow: '2.21.0', files };
  }
});

describe('openRuntime a second time', () => {
  const itInstalled = hasNative() ? it : it.skip;

  itInstalled('keeps the threads of its first opening, and says so', async () => {
    const { threads } = await openRuntime({ engine: 'tensorflow' });
    const runtime = await openRuntime({ engine: 'tensorflow', threads: threads + 1 });
    expect(runtime.threads).toBe(threads);
    expect(runtime.reason).toBe(`asked for; it keeps the ${threads} threads that this process opened it with`);
  });
});
