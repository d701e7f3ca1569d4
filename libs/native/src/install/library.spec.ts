import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fakeMachine, type FakeMachine } from '@pyramidal/testing/machine';
import { findLibrary } from './library';

describe('findLibrary', () => {
  let machine: FakeMachine;
  beforeEach(() => (machine = fakeMachine()));
  afterEach(() => machine.remove());

  const write = (...paths: string[]) => {
    for (const path of paths) {
      const file = join(machine.root, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, '');
    }
  };

  it("finds a wheel's library in site-packages and in its own folder", () => {
    write(
      'site/tensorflow/libtensorflow_cc.so.2',
      'site/tensorflow/libtensorflow_framework.so.2',
      'site/tensorflow/include/tensorflow/c/eager/c_api.h',
    );
    const folder = join(machine.root, 'site', 'tensorflow');
    const expected = {
      folder,
      include: join(folder, 'include'),
      objects: ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'],
    };
    expect(findLibrary(join(machine.root, 'site'))).toEqual(expected);
    expect(findLibrary(folder)).toEqual(expected);
  });

  it('finds the C distribution from its root and from its lib folder', () => {
    write(
      'c/lib/libtensorflow.so',
      'c/lib/libtensorflow.so.2',
      'c/lib/libtensorflow_framework.so.2',
      'c/include/tensorflow/c/eager/c_api.h',
    );
    const expected = {
      folder: join(machine.root, 'c', 'lib'),
      include: join(machine.root, 'c', 'include'),
      objects: ['libtensorflow.so', 'libtensorflow_framework.so.2'],
    };
    expect(findLibrary(join(machine.root, 'c'))).toEqual(expected);
    expect(findLibrary(join(machine.root, 'c', 'lib'))).toEqual(expected);
  });

  it("finds a wheel's library on macOS", () => {
    write('tf/libtensorflow_cc.2.dylib', 'tf/libtensorflow_framework.2.dylib', 'tf/include/tensorflow/c/eager/c_api.h');
    expect(findLibrary(join(machine.root, 'tf'))?.objects).toEqual([
      'libtensorflow_cc.2.dylib',
      'libtensorflow_framework.2.dylib',
    ]);
  });

  it('finds nothing without the headers, without the objects, or without the folder', () => {
    write('a/libtensorflow_cc.so.2', 'b/include/tensorflow/c/eager/c_api.h');
    for (const name of ['a', 'b', 'none']) expect(findLibrary(join(machine.root, name))).toBeUndefined();
  });
});
