/**
 * Whole predictions and training steps of Mask R-CNN and UperNet at published sizes, GroupMixFormer-T, random weights: from the
 * pixels of a picture to masks in COCO's run lengths, or to a map of classes at the picture's size; and an update of a batch. The
 * peer is PyTorch with torchvision's operators (`peers/tasks_contender.py`). Rounds alternate, and each round gives one ratio.
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

const ROUNDS = 5;
const ROUND_MS = 3000;
const SCRIPTS = join(__dirname, '../dist/tasks');
const PEER = join(__dirname, '../peers/tasks_contender.py');
const ENV = { OMP_NUM_THREADS: '2' };

/** What is measured: of a training step the batch, of a prediction the picture before it is resized. */
export interface TaskCase {
  readonly network: 'mask-rcnn' | 'upernet';
  readonly task: 'predict' | 'train';
  readonly batch: number;
  readonly height: number;
  readonly width: number;
}

const CASES: readonly TaskCase[] = [
  { network: 'mask-rcnn', task: 'predict', batch: 1, height: 384, width: 640 },
  { network: 'mask-rcnn', task: 'train', batch: 1, height: 800, width: 1344 },
  { network: 'upernet', task: 'predict', batch: 1, height: 640, width: 640 },
  { network: 'upernet', task: 'train', batch: 2, height: 512, width: 512 },
];

export const tasks: Benchmark = async (options) => {
  build('tools/bench/tsconfig.lib.json');
  const rows: BenchRow[] = [];
  for (const each of casesOf(options)) rows.push(...(await measure(each, options)));
  return rows;
};

const nameOf = ({ network, task }: TaskCase): string => `${network}/${task}`;

/** Those whose names, such as `mask-rcnn/train`, begin like the one that is asked for. */
function casesOf({ case: wanted = '' }: BenchOptions): TaskCase[] {
  const cases = CASES.filter((each) => nameOf(each).startsWith(wanted));
  if (cases.length > 0) return cases;
  throw new UsageError(`tasks: expected one of ${CASES.map(nameOf).join(', ')}, received ${wanted}`);
}

async function measure(which: TaskCase, { python, profile, log }: BenchOptions): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tasks-'));
  const weights = join(folder, 'model.safetensors');
  const machine = watchMachine();
  const run = (script: string, ...args: string[]): void => {
    execFileSync(process.execPath, [join(SCRIPTS, script), ...args], {
      stdio: 'inherit',
      env: { ...process.env, ...ENV },
    });
  };
  try {
    if (which.task === 'predict') run('write.js', which.network, weights);
    const args = [JSON.stringify(which), weights];
    if (profile === true) {
      run('profile.js', ...args);
      return [];
    }
    const rounds = await alternate(
      [
        () => Contender.start('compiled', process.execPath, [join(SCRIPTS, 'contender.js'), ...args]),
        ...(python === undefined ? [] : [() => Contender.start('PyTorch eager', python, [PEER, ...args])]),
      ],
      { rounds: ROUNDS, roundMs: ROUND_MS },
    );
    log(`tasks: ${nameOf(which)}: ${machine()}`);
    const { network, task, batch, height, width } = which;
    const name = `${network} ${task}, ${width}x${height}, batch ${batch}`;
    return summarize(name, rounds, (line) => log(`tasks: ${line}`));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
