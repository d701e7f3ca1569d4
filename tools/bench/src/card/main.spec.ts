/** `npm run gpu:check` where there is no card. */
import { fakeMachine, type FakeMachine } from '@pyramidal/testing/machine';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

describe('gpu:check', () => {
  let machine: FakeMachine;
  beforeAll(() => (machine = fakeMachine()));
  afterAll(() => machine.remove());

  it.each([
    [[], 1, 'gpu:check: tensorflow-gpu: not installed; run `pyramidal-runtime install --engine tensorflow-gpu`\n'],
    [['--stand-in', 'cpu'], 1, 'gpu:check: tensorflow: not installed; run `pyramidal-runtime install`\n'],
    [['--stand-in', 'gpu'], 2, 'gpu:check: expected [--stand-in cpu] [--json FILE], received --stand-in gpu\n'],
    [['--fast'], 2, 'gpu:check: expected [--stand-in cpu] [--json FILE], received --fast\n'],
  ] as const)('%j ends with %i and one line', (args, code, line) => {
    const source = ['-C', '@pyramidal/source', '--import', 'tsx', join(__dirname, 'main.ts')];
    const { status, stdout, stderr } = spawnSync(process.execPath, [...source, ...args], {
      env: machine.env,
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({ status: code, stdout: '', stderr: line });
  });
});
