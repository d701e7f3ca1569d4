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
import { alternate, summarize } from './rounds';
import { Contender } from './contender';

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
    const rounds = await alternate(starts, { rounds: ROUNDS, roundMs: ROUND_MS });
    log(`inference: ${network}, batch ${batch}: ${machine()}`);
    return summarize(`${network}, 224, batch ${batch}`, rounds, (line) => log(`inference: ${line}`));
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
