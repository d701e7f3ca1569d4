/** The program `pyramidal-runtime`: what it prints and its exit codes. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describeOnWebGpu, hasNative } from '@pyramidal/testing';
import { fakeMachine, type FakeMachine } from '@pyramidal/testing/machine';

const MAIN = ['-C', '@pyramidal/source', '--import', 'tsx', join(__dirname, 'main.ts')];

const run = (args: readonly string[], env: NodeJS.ProcessEnv) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...MAIN, ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
};

describe('pyramidal-runtime', () => {
  let machine: FakeMachine;
  beforeEach(() => (machine = fakeMachine()));
  afterEach(() => machine.remove());

  it('fails in one line where the native engine cannot be had', () => {
    const { status, stderr } = run(['install'], machine.env);
    expect(status).toBe(1);
    expect(stderr.trim().split('\n').at(-1)).toMatch(/^no C\+\+ compiler found .*; (download of|there is no official)/);
  });

  it('goes on with one line when it is optional', () => {
    const { status, stdout } = run(['install', '--quiet', '--optional'], machine.env);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^No native TensorFlow, so the wasm engine is used: no C\+\+ compiler found .*\n$/);
  });

  it.each([
    [['install', '--engine', 'webgl'], /'webgl' is invalid. Allowed choices are tensorflow, tensorflow-gpu.\n$/],
    [['instal'], /unknown command 'instal' \(Did you mean install\?\)\n$/],
    [['install', '--fast'], /unknown option '--fast'/],
  ])('refuses %j with code 2', (args, message) => {
    const { status, stderr } = run(args, machine.env);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('explains what is missing', () => {
    const { status, stdout } = run(['doctor'], machine.env);
    expect(status).toBe(0);
    for (const line of [
      '--  tensorflow      not installed; run `pyramidal-runtime install`',
      '--  tensorflow-gpu  not installed; run `pyramidal-runtime install --engine tensorflow-gpu`',
      '--  C++ compiler    no C++ compiler found (looked for g++, c++, clang++); install one',
      '--  Python          no Python 3 found; install python3 and python3-pip to fetch a TensorFlow wheel',
      "'auto' takes wasm: the fastest engine that is ready; tensorflow is not installed",
    ]) {
      expect(stdout).toContain(line);
    }
    expect(stdout).toMatch(/ok {2}wasm +opens with \d+ thread/);
    // The package may be there; this machine has no driver.
    expect(stdout).toMatch(
      /-- {2}webgpu {10}(the package is not installed; run `npm install webgpu`|no adapter is found; install .*)\n/,
    );
  });

  describeOnWebGpu('doctor on WebGPU', (run) => {
    it('lists the adapters', () => {
      const { status, stdout } = run(join(__dirname, 'main.ts'), 'doctor');
      expect(status).toBe(0);
      expect(stdout).toMatch(/\n {2}ok {2}webgpu {10}opens on .+\n/);
      expect(stdout).toMatch(/\n {2}(ok|--) {2}WebGPU adapter {2}.+\n/);
    });
  });

  const itInstalled = hasNative() ? it : it.skip;

  itInstalled('says nothing when it is installed and told to be quiet', () => {
    const { PATH } = machine.env;
    const { status, stdout, stderr } = run(['install', '--quiet', '--optional'], { ...process.env, PATH });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });
});
