/** `npm run bench -- distributed`: what a step of two workers costs more than what each of them computes. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { launch } from '@pyramidal/distributed';
import type { Benchmark, BenchRow } from './benchmark';
import type { Measured } from './distributed/contender';

const [VARIANT, BATCH, STEPS] = ['groupmixformer_tiny', 4, 7];
const MB = 2 ** 20;
const BUCKETS = [MB / 4, MB, 4 * MB, 16 * MB, 64 * MB];

const contender = join(__dirname, 'distributed/contender.ts');
const argumentsOf = (buckets: readonly number[]): string[] => [
  ...['-C', '@pyramidal/source', '--import', 'tsx', contender, VARIANT, String(BATCH), String(STEPS)],
  ...buckets.map(String),
];

/**
 * A step of one process on one core; two such processes that know nothing of each other; and two that train together, by the
 * bytes of the packed gradients. The ratio is to the second: what is above 1 is communication.
 */
export const distributed: Benchmark = async ({ log }) => {
  log('one process on one core');
  const [alone] = await measureApart(1);
  log('two processes that know nothing of each other');
  const apart = await measureApart(2);
  log('two workers');
  const together = await measureTogether();
  const peer = mean(apart.map(({ wallMs }) => median(wallMs)));
  const gradients = (4 * alone!.parameters) / MB;
  const row = (mode: string, { wallMs, cpuMs, peakMB }: Measured, ratioToPeer: number | null): BenchRow => {
    const name = `${VARIANT} ${BATCH} images a process`;
    return { case: name, engine: 'tensorflow', mode, wallMs: median(wallMs), cpuMs, peakMB, ratioToPeer };
  };
  return [
    row('1 process, 1 core', alone!, median(alone!.wallMs) / peer),
    row('2 processes apart', apart[0]!, 1),
    ...together.map((found) => {
      const mode = `2 workers, ${gradients.toFixed(1)} MB a step in buckets of ${found.bucketBytes / MB} MB`;
      return row(mode, found, median(found.wallMs) / peer);
    }),
  ];
};

/** So many processes at the same time, each alone. */
function measureApart(count: number): Promise<Measured[]> {
  const [{ TF_CONFIG: _, ...env }] = [process.env];
  const one = (): Promise<Measured> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, argumentsOf([0]), { env, stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      child.stdout.on('data', (data) => (output += String(data)));
      child.once('error', reject);
      child.once('close', (code) => (code === 0 ? resolve(parse(output)) : reject(new Error(`exit code ${code}`))));
    });
  return Promise.all(Array.from({ length: count }, one));
}

async function measureTogether(): Promise<Measured[]> {
  const found: Measured[] = [];
  const others: string[] = [];
  const code = await launch({
    command: [process.execPath, ...argumentsOf(BUCKETS)],
    workers: 2,
    say(line) {
      if (line.startsWith('[0] {')) found.push(parse(line.slice(4)));
      else others.push(line);
    },
  });
  if (code !== 0) throw new Error(others.join('\n'));
  return found;
}

const parse = (line: string): Measured => JSON.parse(line) as Measured;

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
