/**
 * Reading COCO images for a detector: decode, resize to 800 (at most 1333), mirror half of the time, and pad; as bytes, which the engine
 * normalises, or as normalised floats. Milliseconds an image with two workers, beside OpenCV and torchvision in PyTorch's DataLoader.
 * Contenders stay open and take turns, and each round gives one ratio.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BenchRow, Benchmark } from './benchmark';
import type { PixelKind } from './loader/prepare';
import { median, quantile } from './quantile';

const ROUNDS = 5;
const WORKERS = 2;
const KINDS: readonly PixelKind[] = ['bytes', 'floats'];
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
  const node = ['-C', '@pyramidal/source', '--import', 'tsx', ...script];
  const ours = new Contender('pyramidal', process.execPath, node);
  const peers = (python === undefined ? [] : ['opencv', 'torchvision']).map(
    (library) => new Contender(library, python!, [PEER, library, String(WORKERS), ...images]),
  );
  try {
    for (const peer of peers) if (peer.name === 'opencv') await requireSamePixels(ours, peer);
    const rows: BenchRow[] = [];
    for (const kind of KINDS) rows.push(...(await compare(kind, [ours, ...peers], log)));
    return rows;
  } finally {
    for (const contender of [ours, ...peers]) contender.close();
  }
};

/** A process that answers what an epoch took. */
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

  digest(): Promise<string> {
    return this.ask('digest');
  }

  measure(kind: PixelKind): Promise<Measured> {
    return this.ask(kind);
  }

  close(): void {
    this.child.stdin!.end();
  }

  private async ask<Answer>(question: string): Promise<Answer> {
    this.child.stdin!.write(`${question}\n`);
    const { value, done } = await this.answers.next();
    if (done) throw new Error(`loader: ${this.name} ended without an answer`);
    return JSON.parse(value) as Answer;
  }
}

async function requireSamePixels(ours: Contender, peer: Contender): Promise<void> {
  const [expected, received] = [await peer.digest(), await ours.digest()];
  if (received !== expected) throw new Error(`loader: expected the pixels of ${peer.name}, received others`);
}

async function compare(kind: PixelKind, contenders: readonly Contender[], log: (line: string) => void) {
  for (const contender of contenders) await contender.measure(kind); // warms caches and compilers up
  const runs = contenders.map((): Measured[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, contender] of contenders.entries()) {
      const measured = await contender.measure(kind);
      runs[i]!.push(measured);
      const speed = `${(1000 / measured.wallMs).toFixed(0)} images/s`;
      log(`${kind}, ${contender.name}: ${speed}, ${measured.cpuMs.toFixed(1)} ms CPU an image`);
    }
  }
  const [own, ...others] = runs.map((of, i) => rowOf(kind, contenders[i]!.name, of));
  const ratios = others.flatMap((row, i) => [
    { ...row, mode: 'processor time, ours / it', ...ratioOf('cpuMs', runs[0]!, runs[i + 1]!) },
    { ...row, mode: 'wall time, ours / it', ...ratioOf('wallMs', runs[0]!, runs[i + 1]!) },
  ]);
  return [own!, ...ratios];
}

function ratioOf(time: 'cpuMs' | 'wallMs', ours: readonly Measured[], peer: readonly Measured[]) {
  const ratios = ours.map((measured, round) => measured[time] / peer[round]![time]);
  return { ratioToPeer: median(ratios), quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)] as const };
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

function rowOf(kind: PixelKind, engine: string, runs: readonly Measured[]): BenchRow {
  const wallMs = median(runs.map((run) => run.wallMs));
  return {
    case: `coco 800 x 1333 as ${kind}, one image`,
    engine,
    mode: `${WORKERS} workers, ${(1000 / wallMs).toFixed(0)} images/s`,
    wallMs,
    cpuMs: median(runs.map((run) => run.cpuMs)),
    peakMB: Math.max(...runs.map((run) => run.peakMB)),
    ratioToPeer: null,
  };
}
