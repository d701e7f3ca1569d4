/** Several processes train as one would, and lose nothing when one of them dies or stops. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readSafetensors } from '@pyramidal/checkpoints';
import { launch, type LaunchOptions } from '@pyramidal/distributed';
import { expectClose, hasNative } from '@pyramidal/testing';

const PROGRAM = ['-C', '@pyramidal/source', '--import', 'tsx', resolve(__dirname, '../fixtures/train-together.ts')];
const UPDATES = 20;

let root: string;
beforeAll(() => (root = mkdtempSync(join(tmpdir(), 'team-'))));
afterAll(() => rmSync(root, { recursive: true }));

interface Training extends Partial<Omit<LaunchOptions, 'command'>> {
  readonly name: string;
  readonly pause?: number;
  /** What happens to the second process before update 8. */
  readonly hit?: NodeJS.Signals;
}

/** Trains with so many processes; how that ended, and what they said. */
async function train({
  name,
  pause = 0,
  hit,
  workers = 1,
  ...options
}: Training): Promise<{ code: number; said: string[] }> {
  const said: string[] = [];
  let isHit = hit === undefined;
  const code = await launch({
    command: [process.execPath, ...PROGRAM, join(root, name), String(UPDATES), String(pause)],
    workers,
    ...options,
    say(line) {
      said.push(line);
      const [, pid] = /^\[1\] update 8 of (\d+)$/.exec(line) ?? [];
      if (isHit || pid === undefined) return;
      isHit = true;
      process.kill(Number(pid), hit);
    },
  });
  return { code, said };
}

async function trained(training: Training): Promise<string[]> {
  const { code, said } = await train(training);
  expect({ code, said }).toMatchObject({ code: 0 });
  return said;
}

const lossesOf = (name: string): number[] =>
  readFileSync(join(root, name, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { loss: number }).loss);

/** The weights of every process at the end. */
const digestsOf = (said: readonly string[]): string[] =>
  said.flatMap((line) => /^\[\d+\] weights (\w+)$/.exec(line)?.[1] ?? []);

function bytesOf(name: string): Buffer {
  const file = readSafetensors(join(root, name, 'last.safetensors'));
  const all = [...file.tensors.values()].map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  file.close();
  return Buffer.concat(all);
}

const onNative = hasNative() ? describe : describe.skip;

onNative('a team (skipped without native TensorFlow)', () => {
  beforeAll(async () => {
    await trained({ name: 'alone' });
    expect(lossesOf('alone')).toHaveLength(UPDATES);
  });

  it.each([2, 3])(
    'of %i loses what one process with the joined batch loses, and ends with the same weights',
    async (workers) => {
      const name = `of${workers}`;
      const said = await trained({ name, workers });
      expectClose(lossesOf(name), lossesOf('alone'), { atol: 1e-5 }, 'losses');
      expect(new Set(digestsOf(said)).size).toBe(1);
      expect(digestsOf(said)).toHaveLength(workers);
    },
  );

  it('names the one that dies, and goes on with another number of processes', async () => {
    const { code, said } = await train({ name: 'killed', workers: 2, hit: 'SIGKILL', pause: 30 });
    expect(code).toBe(137);
    expect(said.join('\n')).toMatch(/^\[0\] worker 1 \(127\.0\.0\.1:\d+\) is gone; this worker cannot go on alone/m);
    const again = await trained({ name: 'killed', workers: 3, env: { ...process.env, PYRAMIDAL_RESTARTS: '1' } });
    expect(again.join('\n')).toContain('3 processes train now, 2 until now: updates have the same images');
    expectClose(lossesOf('killed'), lossesOf('alone'), { atol: 1e-5 }, 'losses');
    expect(new Set(digestsOf(again)).size).toBe(1);
  });

  it('starts again when one stops, and ends with the bits of a run that was left alone', async () => {
    const stopped = { name: 'stopped', workers: 2, hit: 'SIGSTOP', pause: 30, maxRestarts: 1, timeout: 3 } as const;
    const said = await trained(stopped);
    expect(said.join('\n')).toMatch(/^\[0\] worker 1 \(127\.0\.0\.1:\d+\) does not answer; this worker cannot go on/m);
    expect(bytesOf('stopped').equals(bytesOf('of2'))).toBe(true);
  });
});
