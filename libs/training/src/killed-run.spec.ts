/** A run that is killed or interrupted at any time can be resumed, to the same bits. */
import { readSafetensors } from '@pyramidal/checkpoints';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

// Each program takes seconds to start on a busy machine.
const PROGRAM = resolve(__dirname, '../fixtures/train-small.ts');

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'killed-'))));
afterEach(() => rmSync(root, { recursive: true }));

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<unknown[]>;
}

function start(folder: string, updates: number, ...flags: string[]): Started {
  const runner = ['-C', '@pyramidal/source', '--import', 'tsx', PROGRAM];
  const child = spawn(process.execPath, [...runner, folder, String(updates), ...flags], { cwd: __dirname });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  return { child, output: () => output, exit: once(child, 'exit') };
}

/** Waits until the program has said something a number of times. */
async function heard({ child, output }: Started, text: string, times = 1): Promise<void> {
  while (output().split(text).length <= times) {
    if (child.exitCode !== null) throw new Error(`ended early: ${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Everything in a checkpoint; reading it also checks that every byte is accounted for. */
function contents(path: string): { step: number; bytes: Buffer } {
  const file = readSafetensors(path);
  const { step } = JSON.parse(file.metadata['training']!) as { step: number };
  const bytes = Buffer.concat(
    [...file.tensors.values()].map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  );
  file.close();
  return { step, bytes };
}

describe('a run that is killed', () => {
  it('has a checkpoint that loads, whenever it was, and ends with the bits of a run that was left alone', async () => {
    const [whole, killed] = [join(root, 'whole'), join(root, 'killed')];
    const reference = start(whole, 60);
    const delays = [5, 19];
    for (const [round, delay] of delays.entries()) {
      const run = start(killed, 60, ...(round === 0 ? [] : ['--resume']));
      await heard(run, 'update', 5);
      await pause(delay);
      run.child.kill('SIGKILL');
      await run.exit;
      const last = join(killed, 'last.safetensors');
      if (existsSync(last)) expect(contents(last).step).toBeGreaterThan(0);
    }
    const rest = start(killed, 60, '--resume');
    expect(await rest.exit).toEqual([0, null]);
    expect(await reference.exit).toEqual([0, null]);
    const [expected, found] = [whole, killed].map((folder) => contents(join(folder, 'last.safetensors')));
    expect(found!.step).toBe(60);
    expect(found!.bytes.equals(expected!.bytes)).toBe(true);
    expect(readdirSync(killed).filter((name) => name.endsWith('.tmp') || name === 'run.lock')).toEqual([]);
    const steps = readFileSync(join(killed, 'metrics.jsonl'), 'utf8').trim().split('\n');
    expect(steps.map((line) => (JSON.parse(line) as { step: number }).step)).toEqual([
      1,
      ...Array.from({ length: 20 }, (_, i) => 3 * (i + 1)),
    ]);
  });

  it('finishes the update and saves at the first Ctrl-C, and says how to resume', async () => {
    const run = start(root, 1000);
    await heard(run, 'update', 10);
    run.child.kill('SIGINT');
    expect(await run.exit).toEqual([130, null]);
    const { step } = contents(join(root, 'last.safetensors'));
    expect(run.output()).toContain('press Ctrl-C again to quit at once');
    expect(run.output()).toContain(`stopped at step ${step} and saved; --resume goes on from there`);
  });

  it('quits at once at the second Ctrl-C and leaves a checkpoint that loads', async () => {
    const run = start(root, 1000, '--slow');
    await heard(run, 'update', 3);
    run.child.kill('SIGINT');
    await heard(run, 'press Ctrl-C again');
    run.child.kill('SIGINT');
    expect(await run.exit).toEqual([130, null]);
    expect(run.output()).not.toContain('and saved');
    expect(contents(join(root, 'last.safetensors')).step).toBe(2);
  });
});
