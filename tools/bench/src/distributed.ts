/** `npm run bench -- distributed`: what a step of two workers costs more than what each of them computes. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { launch } from '@pyramidal/distributed';
import type { Benchmark, BenchRow } from './benchmark';
import type { Measured, Mode } from './distributed/contender';
import { watchMachine } from './machine-load';
import { median, quantile } from './quantile';

const [VARIANT, BATCH, ROUNDS] = ['groupmixformer_tiny', 4, 11];
const MB = 2 ** 20;
const BUCKETS = [MB / 4, MB, 4 * MB, 16 * MB, 64 * MB];

const contender = join(__dirname, 'distributed/contender.ts');
const argumentsOf = (buckets: readonly number[]): string[] => [
  ...['-C', '@pyramidal/source', '--import', 'tsx', contender, VARIANT, String(BATCH), String(ROUNDS)],
  ...buckets.map(String),
];

/**
 * A step of one process on one core, and then rounds of two workers: a step in which each computes for itself, and one with each
 * size of the packed gradients. The ratio is to the former of the same round: what is above 1 is communication.
 */
export const distributed: Benchmark = async ({ log }) => {
  log('one process on one core');
  const alone = await measureAlone();
  log('two workers');
  const load = watchMachine();
  const together = await measureTogether();
  log(load());
  const [apart, ...reduced] = together.modes;
  const row = (mode: string, { peakMB }: Measured, found: Mode): BenchRow => ({
    ...{ case: `${VARIANT} ${BATCH} images a process`, engine: 'tensorflow', mode, peakMB },
    ...{ wallMs: median(found.wallMs), cpuMs: median(found.cpuMs), ratioToPeer: null },
  });
  return [
    row('1 process, 1 core', alone, alone.modes[0]!),
    row('2 processes, nothing exchanged', together, apart!),
    ...reduced.map((mode) => {
      const ratios = mode.wallMs.map((wall, i) => wall / apart!.wallMs[i]!);
      return {
        ...row(modeName(together, mode), together, mode),
        ratioToPeer: quantile(ratios, 0.5),
        quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)] as const,
      };
    }),
  ];
};

function modeName({ parameters }: Measured, { bucketBytes, loopbackBytes }: Mode): string {
  const carried = loopbackBytes.length > 0 ? `, ${(median(loopbackBytes) / MB).toFixed(1)} MB over loopback` : '';
  return `2 workers, ${((4 * parameters) / MB).toFixed(1)} MB of gradients in buckets of ${bucketBytes / MB} MB${carried}`;
}

/** One process, without a place among workers. */
function measureAlone(): Promise<Measured> {
  const [{ TF_CONFIG: _, ...env }] = [process.env];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argumentsOf([]), { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data) => (output += String(data)));
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve(parse(output)) : reject(new Error(`exit code ${code}`))));
  });
}

/** What worker 0 measured. */
async function measureTogether(): Promise<Measured> {
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
  const [first] = found;
  if (code !== 0 || first === undefined) throw new Error(others.join('\n'));
  return first;
}

const parse = (line: string): Measured => JSON.parse(line) as Measured;
