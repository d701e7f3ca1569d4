/**
 * One image, and eight, through the same network: compiled here, in ONNX Runtime and OpenVINO from the exported model, whose
 * logits must be the same, and in PyTorch where it has the network. Rounds alternate, and each round gives one ratio.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError, type Benchmark, type BenchOptions, type BenchRow } from './benchmark';
import { build } from './build';
import { watchMachine } from './machine-load';
import { median, quantile } from './quantile';
import { Contender } from './step';

const ROUNDS = 11;
const ROUND_MS = 1500;
const CASES = [
  { network: 'groupmixformer_tiny', batch: 1, torch: 'tiny' },
  { network: 'groupmixformer_tiny', batch: 8, torch: 'tiny' },
  { network: 'smt_tiny', batch: 1 },
  { network: 'smt_tiny', batch: 8 },
] as const;
const SCRIPTS = join(__dirname, '../dist/inference');
const PEERS = join(__dirname, '../peers');
const OURS = 'compiled';

type Case = (typeof CASES)[number];

/** A contender with the median time of each of its rounds. */
interface Rounds {
  readonly contender: Contender;
  readonly medians: readonly number[];
}

export const inference: Benchmark = async (options) => {
  build('tools/bench/tsconfig.lib.json');
  const rows: BenchRow[] = [];
  for (const each of casesOf(options)) rows.push(...(await measure(each, options)));
  return rows;
};

/** Those whose names, such as `smt_tiny/1`, begin like the one that is asked for. */
function casesOf({ case: wanted = '' }: BenchOptions): Case[] {
  const nameOf = ({ network, batch }: Case): string => `${network}/${batch}`;
  const cases = CASES.filter((each) => nameOf(each).startsWith(wanted));
  if (cases.length > 0) return cases;
  throw new UsageError(`inference: expected one of ${CASES.map(nameOf).join(', ')}, received ${wanted}`);
}

async function measure(which: Case, { python, log }: BenchOptions): Promise<BenchRow[]> {
  const { network, batch } = which;
  const folder = mkdtempSync(join(tmpdir(), 'inference-'));
  const machine = watchMachine();
  try {
    execFileSync(process.execPath, [join(SCRIPTS, 'export.js'), network, String(batch), folder], { stdio: 'inherit' });
    const starts = [
      () => Contender.start(OURS, process.execPath, [join(SCRIPTS, 'contender.js'), network, String(batch)]),
      ...(python === undefined ? [] : peers(which, python, folder)),
    ];
    const rounds = await alternate(starts);
    log(`inference: ${network}, batch ${batch}: ${machine()}`);
    return summarize(`${network}, 224, batch ${batch}`, rounds, log);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function peers(which: Case, python: string, folder: string): (() => Contender)[] {
  const reader = join(PEERS, 'inference_contender.py');
  const own = 'torch' in which ? [which.torch, String(which.batch), 'forward'] : undefined;
  return [
    () => Contender.start('ONNX Runtime', python, [reader, 'onnxruntime', folder]),
    () => Contender.start('OpenVINO', python, [reader, 'openvino', folder]),
    ...(own ? [() => Contender.start('PyTorch eager', python, [join(PEERS, 'step_contender.py'), ...own])] : []),
  ];
}

async function alternate(starts: readonly (() => Contender)[]): Promise<Rounds[]> {
  const contenders = starts.map((start) => start());
  const repeats: number[] = [];
  const rounds = contenders.map((contender) => ({ contender, medians: [] as number[] }));
  try {
    for (const contender of contenders) {
      repeats.push(Math.max(1, Math.round(ROUND_MS / (await contender.warmUp()))));
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, { contender, medians }] of rounds.entries()) {
        await contender.round(repeats[i]!);
        medians.push(median(contender.wallMs.slice(-repeats[i]!)));
      }
    }
    return rounds;
  } finally {
    for (const contender of contenders) await contender.end();
  }
}

/** A row for each contender; that of a peer has our time over its own, round by round. */
function summarize(name: string, [ours, ...others]: readonly Rounds[], log: BenchOptions['log']): BenchRow[] {
  const rowOf = ({ contender: { mode, wallMs, cpuMs, peakMB } }: Rounds): BenchRow => ({
    case: name,
    engine: mode === OURS ? 'tensorflow' : mode,
    mode: mode === OURS ? mode : 'ours / peer',
    wallMs: median(wallMs),
    cpuMs: median(cpuMs),
    peakMB,
    ratioToPeer: null,
  });
  const peerRows = others.map((peer): BenchRow => {
    const ratios = peer.medians.map((time, round) => ours!.medians[round]! / time);
    const quartiles = [quantile(ratios, 0.25), quantile(ratios, 0.75)] as const;
    const row = { ...rowOf(peer), ratioToPeer: median(ratios), quartiles };
    const spread = quartiles.map((ratio) => ratio.toFixed(2)).join('-');
    log(`inference: ${name}: ours / ${peer.contender.mode} ${row.ratioToPeer.toFixed(2)} (${spread})`);
    return row;
  });
  return [rowOf(ours!), ...peerRows];
}
