import { hasNative } from '@pyramidal/testing';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const onLinux = hasNative() && process.platform === 'linux' ? describe : describe.skip;

onLinux("the pages of TensorFlow's libraries (skipped without native TensorFlow on Linux)", () => {
  it('leave memory when the libraries are loaded and when what is unused goes, and come back when they are used', () => {
    const node = ['-C', '@pyramidal/source', '--import', 'tsx', join(__dirname, '../../test-support/memory.ts')];
    const found = JSON.parse(execFileSync(process.execPath, node, { encoding: 'utf8' })) as Record<string, number>;
    expect(found).toMatchObject({ same: true });
    expect(found['loaded']).toBeLessThan(100); // of 600, 300 of which loading reads
    expect(found['left']).toBeLessThan(found['used']! / 2);
  });
});
