/** `npm run gpu:check` where there is no card. */
import { hasNative } from '@pyramidal/testing';
import { fakeMachine, type FakeMachine } from '@pyramidal/testing/machine';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const SOURCE = ['-C', '@pyramidal/source', '--import', 'tsx', join(__dirname, 'main.ts')];

const USAGE = '[--engine tensorflow-gpu|webgpu] [--stand-in cpu] [--json FILE]';

const check = (args: readonly string[], env: NodeJS.ProcessEnv) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...SOURCE, ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
};

describe('gpu:check', () => {
  let machine: FakeMachine;
  beforeAll(() => (machine = fakeMachine()));
  afterAll(() => machine.remove());

  it.each([
    [[], 1, 'gpu:check: tensorflow-gpu: not installed; run `pyramidal-runtime install --engine tensorflow-gpu`\n'],
    [['--stand-in', 'cpu'], 1, 'gpu:check: tensorflow: not installed; run `pyramidal-runtime install`\n'],
    [['--stand-in', 'gpu'], 2, `gpu:check: expected ${USAGE}, received --stand-in gpu\n`],
    [['--engine', 'cuda'], 2, `gpu:check: expected ${USAGE}, received --engine cuda\n`],
    [['--engine', 'webgpu', '--stand-in', 'cpu'], 2, `gpu:check: expected ${USAGE}, received both --engine webgpu and --stand-in cpu\n`], // prettier-ignore
    [['--fast'], 2, `gpu:check: expected ${USAGE}, received --fast\n`],
  ] as const)('%j ends with %i and one line', (args, code, line) => {
    expect(check(args, machine.env)).toEqual({ status: code, stdout: '', stderr: line });
  });

  /** Minutes, with `nx run @pyramidal/bench:test-heavy`. */
  const itHeavy = hasNative() && process.env['PYRAMIDAL_HEAVY'] === '1' ? it : it.skip;

  itHeavy(
    'finds the processor good in the place of a card',
    () => {
      const { status, stdout } = check(['--stand-in', 'cpu'], process.env);
      expect(stdout).toMatch(/\nGood: all \d+ cases agree with the processor, and every network ran\.\n$/);
      expect(status).toBe(0);
    },
    1_200_000,
  );
});
