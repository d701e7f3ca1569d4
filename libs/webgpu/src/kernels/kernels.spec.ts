/** Kernels of the WebGPU engine against those of the cpu engine. */
import { describeOnWebGpu } from '@pyramidal/testing';
import { join } from 'node:path';

// The program takes seconds to start on a busy machine.
describeOnWebGpu('kernels on WebGPU', (run) => {
  it('equal those on the processor, and keep no tensor', () => {
    const { status, stdout, stderr } = run(join(__dirname, '../../fixtures/kernels.ts'));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const cases = stdout.trim().split('\n').map((line) => JSON.parse(line) as { name: string; isClose: boolean }); // prettier-ignore
    expect(cases.length).toBeGreaterThan(30);
    expect(cases.filter(({ isClose }) => !isClose)).toEqual([]);
  });
});
