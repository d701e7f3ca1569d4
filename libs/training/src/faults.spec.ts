/** Full disks and unusable folders: one line of error each, and no checkpoint is lost. */
import * as tf from '@tensorflow/tfjs-core';
import { readSafetensors } from '@pyramidal/checkpoints';
import { Linear } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import fs, {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { openRunFolder } from './run/run-folder';
import { sgd } from './sgd';
import { type Evaluation, train, type TrainOutcome } from './train';
import { trainStep } from './train-step';

beforeAll(() => openRuntime({ engine: 'cpu' }));

let root: string;
let output: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'faults-'));
  output = '';
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

const stream = new Writable({
  write(chunk, _, done) {
    output += String(chunk);
    done();
  },
});

interface Setup {
  readonly folder?: string;
  readonly resume?: boolean;
  readonly onSaveError?: 'continue' | 'stop';
  readonly keep?: number;
  readonly saveEvery?: number;
  readonly evaluation?: Evaluation;
  readonly beforeBatch?: (batch: number) => void;
}

async function run({
  folder = join(root, 'run'),
  resume = false,
  beforeBatch,
  ...options
}: Setup = {}): Promise<TrainOutcome> {
  const run = openRunFolder({ folder, resume, config: 'a: 1\n' });
  const module = new Linear(2, 1);
  module.initialize(1);
  const loss = ({ x }: tf.NamedTensorMap) => ({ loss: tf.mean(tf.square(module.forward(x!))) as tf.Scalar });
  const step = trainStep({ module, loss, optimizer: sgd(module.parameters(), { momentum: 0.9 }) });
  async function* epoch(_: number, firstBatch: number): AsyncGenerator<tf.NamedTensorMap> {
    for (let batch = firstBatch; batch < 6; batch++) {
      beforeBatch?.(batch);
      yield { x: tf.ones([1, 2]) };
    }
  }
  const data = { batchesPerEpoch: 6, batchSize: 1, epoch };
  try {
    const length = { iterations: 6 };
    return await train({
      folder: run,
      step,
      data,
      length,
      schedule: () => 0.1,
      seed: 1,
      logEvery: 1,
      saveEvery: 2,
      stream,
      ...options,
    });
  } finally {
    run.close();
    step.dispose();
    module.dispose();
  }
}

const failure = (setup: Setup): Promise<string> =>
  run(setup).then(
    () => {
      throw new Error('expected an error');
    },
    (error: Error) => error.message.replaceAll(`${root}/`, ''),
  );

const savedStep = (): number => {
  const file = readSafetensors(join(root, 'run/last.safetensors'));
  file.close();
  return (JSON.parse(file.metadata['training']!) as { step: number }).step;
};

/** From now on the file system takes no more than some bytes of anything that is written. */
function fillDisk(most = 10): void {
  const real = fs.writeSync;
  const write = (
    file: number,
    bytes: Uint8Array,
    offset = 0,
    length = bytes.length,
    position?: number | null,
  ): number => {
    const end = position === undefined || position === null ? fs.fstatSync(file).size + length : position + length;
    if (end <= most) return real(file, bytes, offset, length, position);
    if (offset === 0 && length > 10) return real(file, bytes, 0, 10, position);
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
  };
  jest.spyOn(fs, 'writeSync').mockImplementation(write as typeof fs.writeSync);
}

const logged = (): number[] =>
  readFileSync(join(root, 'run/metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { step: number }).step);

describe('a disk that fills up', () => {
  it('is told in one line each time; training goes on, and loses nothing once there is room', async () => {
    const outcome = await run({
      keep: 1,
      beforeBatch: (batch) => {
        if (batch === 2) fillDisk();
        if (batch === 5) jest.restoreAllMocks();
      },
    });
    expect(outcome.outcome).toBe('finished');
    expect(savedStep()).toBe(6);
    expect(logged()).toEqual([1, 2, 3, 4, 5, 6]);
    const trouble = output
      .replaceAll(`${root}/`, '')
      .split('\n')
      .filter((line) => line.includes('cannot be written'));
    expect(trouble).toEqual([
      'run/metrics.jsonl: cannot be written: no space left on the device; trying again later',
      expect.stringMatching(/^run\/events\..*: cannot be written: no space left on the device; trying again later$/),
      'run/last.safetensors: cannot be written: no space left on the device; the file that is there was not touched; ' +
        'training goes on and tries again at the next checkpoint',
    ]);
    expect(readdirSync(join(root, 'run')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('fails the run if the last checkpoint could not be written, and leaves the one before', async () => {
    expect(await failure({ beforeBatch: (batch) => void (batch === 3 && fillDisk()) })).toBe(
      'the last checkpoint could not be written; the one there is from step 2',
    );
    jest.restoreAllMocks();
    expect(savedStep()).toBe(2);
    expect((await run({ resume: true })).step).toBe(6);
  });

  it('does not tell of checkpoints that were deleted on the way', async () => {
    const beforeBatch = (batch: number): void => void (batch === 3 && rmSync(join(root, 'run'), { recursive: true }));
    expect(await failure({ beforeBatch })).toBe(
      'the last checkpoint could not be written; no checkpoint of this run is there',
    );
  });

  it('stops the run where that is asked for', async () => {
    const setup: Setup = { onSaveError: 'stop', beforeBatch: (batch) => void (batch === 3 && fillDisk()) };
    expect(await failure(setup)).toBe(
      'run/last.safetensors: cannot be written: no space left on the device; the file that is there was not touched',
    );
    expect(savedStep()).toBe(2);
  });

  it('may have room for the best checkpoint alone, which is there then; no run goes on from it', async () => {
    const evaluation = { every: 2, run: async () => ({ score: 1 }), best: { metric: 'score' } };
    await run({ folder: join(root, 'sizes'), evaluation });
    const { size } = statSync(join(root, 'sizes/best.safetensors'));
    expect(size).toBeLessThan(statSync(join(root, 'sizes/last.safetensors')).size);
    const beforeBatch = (batch: number): void => void (batch === 1 && fillDisk(size));
    expect(await failure({ evaluation, beforeBatch })).toBe(
      'the last checkpoint could not be written; of this run best.safetensors alone is there',
    );
    jest.restoreAllMocks();
    expect(await failure({ resume: true })).toMatch(
      /^run: last.safetensors is missing, and best.safetensors holds the weights/,
    );
  });

  it('fails before anything is trained if the folder takes nothing', async () => {
    fillDisk();
    const batches: number[] = [];
    jest.spyOn(fs, 'writeFileSync').mockImplementation(() => {
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' });
    });
    expect(await failure({ beforeBatch: (batch) => void batches.push(batch) })).toBe(
      'run/run.lock: cannot be written: no space left on the device',
    );
    expect(batches).toEqual([]);
  });
});

it('a best checkpoint never comes without a last one to go on from, however rarely those are due', async () => {
  const evaluation = { every: 2, run: async () => ({ score: 1 }), best: { metric: 'score' } };
  const beforeBatch = (batch: number): void => {
    if (batch === 3) throw new Error('the machine went down');
  };
  expect(await failure({ saveEvery: 6, evaluation, beforeBatch })).toBe('the machine went down');
  expect(savedStep()).toBe(2);
  expect((await run({ resume: true, saveEvery: 6, evaluation })).step).toBe(6);
});

describe('a folder that cannot be used', () => {
  it('may lie below a file', async () => {
    writeFileSync(join(root, 'file'), '');
    expect(await failure({ folder: join(root, 'file/run') })).toBe(
      'file/run: cannot be written: a part of the path is not a folder',
    );
  });

  const asUser = process.getuid?.() === 0 ? it.skip : it;
  asUser('may be read-only (skipped for root, whom nothing stops)', async () => {
    mkdirSync(join(root, 'run'));
    chmodSync(join(root, 'run'), 0o500);
    expect(await failure({})).toBe('run/run.lock: cannot be written: permission denied');
  });

  it('is left alone when its records make no sense', async () => {
    await run();
    writeFileSync(join(root, 'run/run.json'), '{"starts": [');
    expect(await failure({ resume: true })).toMatch(/^run\/run\.json: is not JSON: /);
    expect(existsSync(join(root, 'run/run.lock'))).toBe(false);
  });
});
