import { platformTags } from './wheel-index';

describe('platformTags', () => {
  it('names every manylinux up to the C library of the machine', () => {
    expect(platformTags('linux', 'x64', '2.27')).toEqual([
      'manylinux2014_x86_64',
      'manylinux_2_17_x86_64',
      'manylinux_2_24_x86_64',
      'manylinux_2_27_x86_64',
    ]);
    expect(platformTags('linux', 'arm64', '2.17')).toEqual(['manylinux2014_aarch64', 'manylinux_2_17_aarch64']);
  });

  it('leaves other systems to pip', () => expect(platformTags('darwin', 'arm64', undefined)).toEqual([]));

  it('says why a Linux has no wheels', () => {
    expect(() => platformTags('linux', 'x64', undefined)).toThrow(/without glibc \(Alpine and others with musl\)/);
    expect(() => platformTags('linux', 'riscv64', '2.36')).toThrow('TensorFlow has no wheels for Linux on riscv64');
  });
});
