/**
 * From the start of a process to its first result: `predict` of one picture, with nothing kept of earlier processes and with what
 * the last one kept, beside ONNX Runtime on the same network and PyTorch where it has one like it. Rounds alternate.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError, type Benchmark, type BenchOptions, type BenchRow } from './benchmark';
import { build } from './build';
import { watchMachine } from './machine-load';
import { median, quantile } from './quantile';
import { firstResult, type FirstResult } from './startup/first-result';

const ROUNDS = 5;
const PICTURE = { height: 480, width: 640 };
const APPS = join(__dirname, '../../../apps');
const WRITE = join(__dirname, '../dist/startup/write.js');
const PEER = join(__dirname, '../peers/startup_peer.py');

/** The programs, on networks of published sizes and the detector of the sample, which all know nothing. */
const CASES = [
  { name: 'classify', app: 'classification', canvas: [224, 224], torch: 'groupmixformer' },
  { name: 'segment', app: 'segmentation', canvas: [512, 683] },
  { name: 'detect', app: 'detection', canvas: [800, 1088], torch: 'maskrcnn_resnet50_fpn' },
  { name: 'detect-sample', app: 'detection', canvas: [96, 128] },
] as const;

type Case = (typeof CASES)[number];

/** A process to be started again and again. */
interface Contender {
  readonly engine: string;
  readonly mode: string;
  readonly start: () => Promise<FirstResult>;
}

export const startup: Benchmark = async (options) => {
  build('tools/bench/tsconfig.lib.json');
  const rows: BenchRow[] = [];
  for (const each of casesOf(options)) rows.push(...(await measure(each, options)));
  return rows;
};

function casesOf({ case: wanted = '' }: BenchOptions): Case[] {
  const cases = CASES.filter(({ name }) => name.startsWith(wanted));
  if (cases.length > 0) return cases;
  throw new UsageError(`startup: expected one of ${CASES.map(({ name }) => name).join(', ')}, received ${wanted}`);
}

async function measure(which: Case, { python, log }: BenchOptions): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'startup-'));
  const machine = watchMachine();
  try {
    execFileSync(process.execPath, [WRITE, which.name, folder, JSON.stringify(PICTURE)], { stdio: ['ignore', 2, 2] });
    const contenders = [...ours(which, folder), ...(python === undefined ? [] : peers(which, python, folder))];
    const results = contenders.map((): FirstResult[] => []);
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [i, { start }] of contenders.entries()) {
        const result = await start();
        if (round > 0) results[i]!.push(result); // the first one reads all files from disk
      }
    }
    log(`startup: ${which.name}: ${machine()}`);
    return summarize(which, contenders, results);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The program with nothing kept, then with what it kept. */
function ours({ app }: Case, folder: string): Contender[] {
  const kept = join(folder, 'graphs');
  const args = [
    programOf(app),
    'predict',
    '--weights',
    join(folder, 'weights.safetensors'),
    join(folder, 'picture.jpg'),
  ];
  const start = (): Promise<FirstResult> =>
    firstResult(process.execPath, [...args, '--out', join(folder, 'predictions')], { PYRAMIDAL_GRAPHS: kept });
  const first = (): Promise<FirstResult> => {
    rmSync(kept, { recursive: true, force: true });
    return start();
  };
  return [
    { engine: 'tensorflow', mode: 'nothing kept', start: first },
    { engine: 'tensorflow', mode: 'graphs kept', start },
  ];
}

function peers({ app, canvas: [height, width], ...which }: Case, python: string, folder: string): Contender[] {
  const weights = join(folder, 'weights.safetensors');
  const size = ['--input', `${height}x${width}`, '--out', join(folder, 'export')];
  execFileSync(process.execPath, [programOf(app), 'export', '--weights', weights, '--format', 'onnx', ...size], {
    stdio: ['ignore', 2, 2],
  });
  const peer = (engine: string, runtime: string, model: string): Contender => ({
    engine,
    mode: 'peer',
    start: () =>
      firstResult(python, [PEER, runtime, model, join(folder, 'picture.jpg'), String(height), String(width)], {}),
  });
  return [
    peer('ONNX Runtime', 'onnxruntime', join(folder, 'export', 'model.onnx')),
    ...('torch' in which ? [peer('PyTorch eager', 'torch', which.torch)] : []),
  ];
}

const programOf = (app: string): string => join(APPS, app, 'dist/main.js');

/** A row for each contender; those of a peer have the ratio of what we take with graphs kept to what it takes. */
function summarize({ name }: Case, contenders: readonly Contender[], results: readonly FirstResult[][]): BenchRow[] {
  const kept = results[contenders.findIndex(({ mode }) => mode === 'graphs kept')]!;
  return contenders.map(({ engine, mode }, i): BenchRow => {
    const own = results[i]!;
    const row = {
      case: `${name}, first picture`,
      engine,
      mode,
      wallMs: median(own.map(({ wallMs }) => wallMs)),
      cpuMs: median(own.map(({ cpuMs }) => cpuMs)),
      peakMB: Math.max(...own.map(({ peakMB }) => peakMB)),
      ratioToPeer: null,
    };
    if (mode !== 'peer') return row;
    const ratios = own.map(({ wallMs }, round) => kept[round]!.wallMs / wallMs);
    return { ...row, ratioToPeer: median(ratios), quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)] };
  });
}
