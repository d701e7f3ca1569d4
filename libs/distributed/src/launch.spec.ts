/** Starting programs as workers: their places, their lines, and how they end. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { launch, type LaunchOptions } from './launch';

const say = 'console.log(process.env.TF_CONFIG)';
/** Ends with a code where it is the second worker, else waits for ever. */
const failing = 'if (JSON.parse(process.env.TF_CONFIG).task.index === 1) process.exit(7); setInterval(() => {}, 1000)';

async function run(script: string, options: Partial<LaunchOptions> = {}): Promise<{ code: number; said: string[] }> {
  const said: string[] = [];
  const command = [process.execPath, '-e', script] as const;
  const code = await launch({ command, workers: 2, say: (line) => said.push(line), grace: 100, ...options });
  return { code, said };
}

it('gives every worker its place, and lines their numbers', async () => {
  const { code, said } = await run(say, { env: { ...process.env, RANK: '5', SLURM_PROCID: '3' } });
  expect(code).toBe(0);
  const places = said.sort().map((line) => {
    const [, index, config] = /^\[(\d)\] (.*)$/.exec(line)!;
    const { cluster, task } = JSON.parse(config!) as { cluster: { worker: string[] }; task: { index: number } };
    expect(String(task.index)).toBe(index);
    return cluster.worker;
  });
  expect(places[0]).toHaveLength(2);
  expect(new Set(places[0]).size).toBe(2);
  expect(places[1]).toEqual(places[0]);
});

it('hides what other launchers said of itself, and shows a card each', async () => {
  const env = { ...process.env, RANK: '5', WORLD_SIZE: '9', SLURM_PROCID: '3', OMPI_COMM_WORLD_RANK: '1' };
  const script =
    'const { RANK, SLURM_PROCID, CUDA_VISIBLE_DEVICES: card } = process.env; console.log(RANK, SLURM_PROCID, card)';
  const { said } = await run(script, { env, cards: true });
  expect(said.sort()).toEqual(['[0] undefined undefined 0', '[1] undefined undefined 1']);
});

it('ends all when one fails, with its exit code', async () => {
  const { code, said } = await run(failing);
  expect({ code, said }).toEqual({ code: 7, said: ['worker 1 ended with exit code 7'] });
});

it('starts all again so many times', async () => {
  const { code, said } = await run(`console.log(process.env.PYRAMIDAL_RESTARTS); ${failing}`, { maxRestarts: 2 });
  expect(code).toBe(7);
  expect(said.filter((line) => line.startsWith('worker'))).toEqual([
    'worker 1 ended with exit code 7; all start again (1 of 2)',
    'worker 1 ended with exit code 7; all start again (2 of 2)',
    'worker 1 ended with exit code 7',
  ]);
  expect(said.filter((line) => line.startsWith('[1]'))).toEqual(['[1] undefined', '[1] 1', '[1] 2']);
});

it('does not start wrong usage again', async () => {
  const { said } = await run('process.exit(2)', { maxRestarts: 5 });
  expect(said).toHaveLength(1);
});

it('says when there is no such program', async () => {
  const { code, said } = await run('', { command: ['no-such-program'], workers: 1, maxRestarts: 3 });
  expect(code).toBe(127);
  expect(said).toEqual([
    '[0] no-such-program: cannot be started: no such program',
    'worker 0 ended with exit code 127',
  ]);
});

it('passes Ctrl-C on once', async () => {
  const main = resolve(__dirname, 'cli/main.ts');
  const script =
    "process.on('SIGINT', () => { console.log('asked'); setTimeout(() => process.exit(130), 200); }); setInterval(() => {}, 1000); console.log('here')";
  const args = [
    '-C',
    '@pyramidal/source',
    '--import',
    'tsx',
    main,
    '--workers',
    '2',
    '--',
    process.execPath,
    '-e',
    script,
  ];
  const child = spawn(process.execPath, args, { detached: true });
  let output = '';
  let isSent = false;
  child.stderr.on('data', (data) => {
    output += String(data);
    if (isSent || output.split('here').length < 3) return;
    isSent = true;
    // As a terminal does, to the whole group.
    process.kill(-child.pid!, 'SIGINT');
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(code).toBe(130);
  expect(output.split('asked')).toHaveLength(3);
});
