/** Opening the WebGPU engine, how it is read, and what it says when something is wrong. */
import { describeOnWebGpu } from '@pyramidal/testing';
import { join } from 'node:path';

// Each program takes seconds to start on a busy machine.
const PROGRAM = join(__dirname, '../fixtures/faults.ts');

describeOnWebGpu('openWebGpu', (run) => {
  const answers = (what: string): Record<string, { value?: unknown; error?: string; again?: string }> => {
    const { status, stdout, stderr } = run(PROGRAM, what);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = stdout.trim().split('\n').map((line) => JSON.parse(line) as { name: string }); // prettier-ignore
    return Object.fromEntries(lines.map(({ name, ...answer }) => [name, answer]));
  };

  it('opens once, reads asynchronously, and says what cannot be done', () => {
    const { adapter, ...others } = answers('main');
    expect(adapter?.value).toMatch(/\w/);
    expect(adapter?.again).toBe(adapter?.value);
    const lost =
      'webgpu: the device is lost: device was destroyed; training goes on from its last checkpoint with --resume';
    expect(others).toEqual({
      'read at once': {
        error:
          'webgpu: values are read asynchronously alone (`await tensor.data()`); what reads them at once needs another engine',
      },
      read: { value: 9 },
      'read again': { value: 9 },
      'too large': {
        error: expect.stringMatching(
          /^webgpu: a tensor of 8192 MiB is larger than the \d+ MiB that the adapter allows; use a smaller batch or input$/,
        ),
      },
      afterwards: { value: 81 },
      lost: { error: lost },
      'lost for good': { error: lost },
    });
  });

  it('fails when the device refuses an operation, and gives nothing afterwards', () => {
    const { refused, 'refused before': after } = answers('refused');
    expect(refused?.error).toMatch(/^webgpu: the device refused MirrorPadProgram: Error while parsing WGSL: .*$/);
    expect(after?.error).toBe(refused?.error);
  });

  it('fails when the memory is full', () => {
    expect(answers('full')['full']?.error).toMatch(
      /^webgpu: the card's memory is full, \d+ MiB of it here; use a smaller batch or input$/,
    );
  });
});
