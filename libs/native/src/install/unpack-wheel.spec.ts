import { zipSync } from 'fflate';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fakeMachine, type FakeMachine, makeWheel, sha256, wheelFiles } from '@pyramidal/testing/machine';
import { isLibraryFile } from './library-store';
import { unpackWheel } from './unpack-wheel';

describe('unpackWheel', () => {
  let machine: FakeMachine;
  beforeEach(() => (machine = fakeMachine()));
  afterEach(() => machine.remove());

  const write = (wheel: Buffer) => {
    const file = join(machine.root, 'tensorflow-1.whl');
    writeFileSync(file, wheel);
    return file;
  };
  const unpack = (wheel: Buffer) => unpackWheel(write(wheel), join(machine.root, 'out'), isLibraryFile);

  it('writes the wanted files and returns their digests', async () => {
    const files = wheelFiles();
    const digests = await unpack(makeWheel(files));
    const { 'tensorflow/python/unwanted.py': _unwanted, ...wanted } = files;
    expect([...digests.keys()].sort()).toEqual(Object.keys(wanted).sort());
    for (const [path, data] of Object.entries(wanted)) {
      expect(readFileSync(join(machine.root, 'out', path)).equals(data)).toBe(true);
      expect(digests.get(path)).toBe(sha256(data));
    }
    expect(existsSync(join(machine.root, 'out', 'tensorflow', 'python'))).toBe(false);
  });

  it('tells its progress up to the whole', async () => {
    const seen: [number, number | undefined][] = [];
    const progress = { step: () => undefined, bytes: (done: number, total?: number) => void seen.push([done, total]) };
    await unpackWheel(write(makeWheel()), join(machine.root, 'out'), isLibraryFile, progress);
    const wanted = Object.entries(wheelFiles()).filter(([path]) => isLibraryFile(path));
    const total = wanted.reduce((sum, [, data]) => sum + data.length, 0);
    expect(seen.at(-1)).toEqual([total, total]);
  });

  it('refuses a truncated wheel', async () => {
    const wheel = makeWheel();
    await expect(unpack(wheel.subarray(0, wheel.length / 2))).rejects.toThrow(/^tensorflow-1.whl cannot be used: /);
  });

  it('refuses a damaged wheel', async () => {
    const wheel = makeWheel();
    wheel[50_000]! ^= 1;
    await expect(unpack(wheel)).rejects.toThrow(/^tensorflow-1.whl cannot be used: /);
  });

  it('refuses a file that is not the one its RECORD speaks of', async () => {
    const path = 'tensorflow/libtensorflow_cc.so.2';
    const wheel = makeWheel({ [path]: Buffer.from('abc') }, { [path]: Buffer.from('def') });
    await expect(unpack(wheel)).rejects.toThrow(`tensorflow-1.whl cannot be used: ${path} does not match its checksum`);
  });

  it('refuses a wheel whose RECORD does not name a file, or that has none', async () => {
    const path = 'tensorflow/libtensorflow_cc.so.2';
    await expect(unpack(makeWheel({ [path]: Buffer.from('abc') }, {}))).rejects.toThrow(
      `tensorflow-1.whl cannot be used: its RECORD names no checksum of ${path}`,
    );
    await expect(unpack(Buffer.from(zipSync({ [path]: Buffer.from('abc') })))).rejects.toThrow(
      `tensorflow-1.whl cannot be used: its RECORD names no checksum of ${path}`,
    );
  });

  it('refuses a wheel of something else', async () => {
    await expect(unpack(makeWheel({ 'numpy/__init__.py': Buffer.from('') }))).rejects.toThrow(
      'tensorflow-1.whl cannot be used: it holds none of the files looked for',
    );
  });

  it('refuses a file that is no wheel', async () => {
    await expect(unpack(Buffer.from('<html>not found</html>'))).rejects.toThrow(/^tensorflow-1.whl cannot be used: /);
  });
});

describe('isLibraryFile', () => {
  it.each([
    ['tensorflow/libtensorflow_cc.so.2', true],
    ['tensorflow/libtensorflow_framework.2.dylib', true],
    ['tensorflow/include/tensorflow/c/eager/c_api.h', true],
    ['tensorflow/include/tensorflow/core/platform/ctstring_internal.h', true],
    ['tensorflow/include/tsl/platform/ctstring.h', true],
    ['tensorflow/include/xla/tsl/c/tsl_status.h', true],
    ['tensorflow/include/absl/log/globals.h', true],
    ['nvidia/cudnn/lib/libcudnn.so.9', true],
    ['nvidia/cuda_nvcc/bin/ptxas', true],
    ['tensorflow/include/Eigen/Core', true],
    ['tensorflow/include/tensorflow/core/public/session.h', true],
    ['tensorflow/include/google/protobuf/message.h', true],
    ['tensorflow/include/tensorflow/core/kernels/conv_2d.h', false],
    ['tensorflow/include/tensorflow/core/framework/graph.proto', false],
    ['tensorflow/python/_pywrap_tensorflow_internal.so', false],
    ['nvidia/cudnn/include/cudnn.h', false],
  ])('%s: %s', (path, wanted) => expect(isLibraryFile(path)).toBe(wanted));
});
