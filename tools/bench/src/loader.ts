/**
 * Reading COCO images for a detector: decode, resize to 800 (at most 1333), mirror, normalise, pad; milliseconds an image with two
 * workers, beside OpenCV and torchvision in PyTorch's DataLoader. Contenders stay open and take turns.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BenchRow, Benchmark } from './benchmark';
import { median } from './quantile';

const ROUNDS = 3;
const WORKERS = 2;
const WORKSPACE = join(__dirname, '../../..');
const PEER = join(__dirname, '../peers/loader_contender.py');
const FOLDERS = ['coco/val2017', 'coco/train2017'];

interface Measured {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMB: number;
}

export const loader: Benchmark = async ({ python, log }) => {
  const images = cocoImages();
  const script = [join(__dirname, 'loader/contender.ts'), String(WORKERS), ...images];
  const contenders = [
    new Contender('sharp + @pyramidal/images', process.execPath, [
      '-C',
      '@pyramidal/source',
      '--import',
      'tsx',
      ...script,
    ]),
    ...(python === undefined ? [] : ['torchvision', 'opencv']).map(
      (library) => new Contender(library, python!, [PEER, library, String(WORKERS), ...images]),
    ),
  ];
  try {
    for (const contender of contenders) await contender.measure(); // warms caches and compilers up
    const runs = contenders.map((): Measured[] => []);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, contender] of contenders.entries()) {
        const measured = await contender.measure();
        runs[i]!.push(measured);
        log(
          `${contender.name}: ${(1000 / measured.wallMs).toFixed(0)} images/s, ${measured.cpuMs.toFixed(1)} ms CPU an image`,
        );
      }
    }
    const [ours, ...peers] = contenders.map(({ name }, i) => rowOf(name, runs[i]!));
    const compared = peers.map((peer) => ({
      ...ours!,
      mode: `${ours!.mode}, to ${peer.engine}`,
      ratioToPeer: ours!.wallMs / peer.wallMs,
    }));
    return [...(compared.length > 0 ? compared : [ours!]), ...peers];
  } finally {
    for (const contender of contenders) contender.close();
  }
};

/** A process that answers a number of epochs by what they took. */
class Contender {
  private readonly child: ChildProcess;
  private readonly answers: AsyncIterator<string>;

  constructor(
    readonly name: string,
    command: string,
    args: readonly string[],
  ) {
    this.child = spawn(command, args, { cwd: WORKSPACE, stdio: ['pipe', 'pipe', 'inherit'] });
    this.answers = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  async measure(): Promise<Measured> {
    this.child.stdin!.write('1\n');
    const { value, done } = await this.answers.next();
    if (done) throw new Error(`loader: ${this.name} ended without an answer`);
    return JSON.parse(value) as Measured;
  }

  close(): void {
    this.child.stdin!.end();
  }
}

function cocoImages(): string[] {
  const data = process.env['PYRAMIDAL_DATA'] ?? join(WORKSPACE, '../shared/data');
  const images = FOLDERS.flatMap((folder) => imagesIn(join(data, folder)));
  if (images.length === 0) throw new Error(`loader: expected images in ${join(data, FOLDERS[0]!)}; set PYRAMIDAL_DATA`);
  return images;
}

function imagesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.jpg'))
    .map((file) => join(folder, file));
}

function rowOf(engine: string, runs: readonly Measured[]): BenchRow {
  const wallMs = median(runs.map((run) => run.wallMs));
  return {
    case: 'coco 800 x 1333, one image',
    engine,
    mode: `${WORKERS} workers, ${(1000 / wallMs).toFixed(0)} images/s`,
    wallMs,
    cpuMs: median(runs.map((run) => run.cpuMs)),
    peakMB: Math.max(...runs.map((run) => run.peakMB)),
    ratioToPeer: null,
  };
}
