/**
 * Counting one predicted map of 683 x 512 pixels and 150 classes into an evaluation, milliseconds a map, beside numpy's
 * bincount (and PyTorch's histc, as MMSegmentation counts) on the same maps.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@pyramidal/random';
import { SegmentationEvaluator } from '@pyramidal/segeval';
import type { Benchmark, BenchRow } from './benchmark';

const [WIDTH, HEIGHT, CLASSES] = [683, 512, 150];
const ROUNDS = 3;
const REPEATS = 200;
const PEER = join(__dirname, '../peers/segeval_python.py');

interface Measured {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMB: number;
}

interface Maps {
  readonly prediction: Uint8Array;
  readonly label: Uint8Array;
}

/** What a network gives, and the hardest there can be. */
const CASES: Readonly<Record<string, (random: Random) => Maps>> = { regions, noise };

export const segeval: Benchmark = async ({ python, log }) => {
  const folder = mkdtempSync(join(tmpdir(), 'segeval-'));
  try {
    return Object.entries(CASES).flatMap(([name, make]) => {
      const maps = make(new Random([0]));
      const files = [join(folder, 'prediction'), join(folder, 'label')];
      writeFileSync(files[0]!, maps.prediction);
      writeFileSync(files[1]!, maps.label);
      const runs = new Map<string, Measured[]>([['@pyramidal/segeval', []]]);
      for (let round = 0; round < ROUNDS; round++) {
        runs.get('@pyramidal/segeval')!.push(measure(maps));
        if (python === undefined) continue;
        const answer = execFileSync(python, [PEER, String(CLASSES), String(REPEATS), ...files], { encoding: 'utf8' });
        for (const [peer, measured] of Object.entries(JSON.parse(answer) as Record<string, Measured>)) {
          runs.set(peer, [...(runs.get(peer) ?? []), measured]);
        }
      }
      const [ours, ...peers] = [...runs].map(([engine, measured]) => rowOf(name, engine, measured));
      log(`${name}: ${[ours!, ...peers].map(({ engine, wallMs }) => `${engine} ${wallMs.toFixed(3)} ms`).join(', ')}`);
      const compared = peers.map((peer) => ({
        ...ours!,
        mode: `to ${peer.engine}`,
        ratioToPeer: ours!.wallMs / peer.wallMs,
      }));
      return [...(compared.length > 0 ? compared : [ours!]), ...peers];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
};

function measure({ prediction, label }: Maps): Measured {
  const evaluator = new SegmentationEvaluator({ classes: CLASSES });
  const repeat = (): void => {
    for (let i = 0; i < REPEATS; i++) evaluator.add(prediction, label);
  };
  repeat(); // compiles
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  repeat();
  const wallMs = (performance.now() - start) / REPEATS;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1000 / REPEATS, peakMB: process.resourceUsage().maxRSS / 1024 };
}

/** Blocks of classes, one of a hundred pixels unlabelled, and a prediction that is a few pixels off. */
function regions(random: Random): Maps {
  const classes = new Uint8Array(30 * 30).map(() => random.integer(CLASSES));
  const classAt = (x: number, y: number): number =>
    classes[(Math.floor(y / 40) % 30) * 30 + (Math.floor(x / 40) % 30)]!;
  const map = (shift: number): Uint8Array =>
    Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => classAt((i % WIDTH) + shift, Math.floor(i / WIDTH) + shift));
  return { prediction: map(3), label: map(0).map((value) => (random.chance(0.01) ? 255 : value)) };
}

function noise(random: Random): Maps {
  const map = (): Uint8Array => new Uint8Array(WIDTH * HEIGHT).map(() => random.integer(CLASSES));
  return { prediction: map(), label: map() };
}

function rowOf(name: string, engine: string, runs: readonly Measured[]): BenchRow {
  const median = (of: keyof Measured): number => runs.map((run) => run[of]).sort((a, b) => a - b)[runs.length >> 1]!;
  return {
    case: `${name}, ${WIDTH} x ${HEIGHT}, ${CLASSES} classes`,
    engine,
    mode: 'one thread',
    wallMs: median('wallMs'),
    cpuMs: median('cpuMs'),
    peakMB: median('peakMB'),
    ratioToPeer: null,
  };
}
