/** A run from start to end, and resumed: files, numbers, tensors and errors. */
import * as tf from '@tensorflow/tfjs-core';
import { readSafetensors, writeSafetensors } from '@pyramidal/checkpoints';
import { Linear } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { adamW } from './adamw';
import { loadWeightsFile } from './load-weights-file';
import { openRunFolder, type RunFolder } from './run/run-folder';
import { createSchedule } from './schedule';
import { train, type Evaluation, type TrainOptions, type TrainOutcome } from './train';
import { trainStep, type Losses, type TrainStep } from './train-step';

beforeAll(() => openRuntime({ engine: 'cpu' }));

const BATCHES = 6;

let root: string;
let output: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'training-'));
  output = '';
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const stream = new Writable({
  write(chunk, _, done) {
    output += String(chunk);
    done();
  },
});

/** Batches that epoch and place decide; `poison` makes one of them infinite. */
async function* batches(epoch: number, firstBatch: number, poison = -1): AsyncGenerator<tf.NamedTensorMap> {
  for (let batch = firstBatch; batch < BATCHES; batch++) {
    const place = epoch * BATCHES + batch;
    const values = Float32Array.from({ length: 8 }, (_, i) => Math.sin(place * 8 + i));
    if (place === poison) values[0] = Infinity;
    yield { x: tf.tensor2d(values, [4, 2]) };
  }
}

interface Setup extends Partial<Omit<TrainOptions<tf.NamedTensorMap>, 'step' | 'data'>> {
  readonly name?: string;
  readonly resume?: boolean;
  readonly config?: string;
  readonly width?: number;
  readonly poison?: number;
  readonly accumulation?: number;
  readonly batchesPerEpoch?: number;
  readonly folder?: RunFolder;
  /** Called after each update. */
  readonly afterUpdate?: (update: number) => void;
  /** Called while an update runs. */
  readonly inLoss?: (update: number) => void;
  readonly lr?: number;
}

function makeStep(width: number, accumulation: number): TrainStep {
  const module = new Linear(2, width);
  module.initialize(3);
  const loss = ({ x }: tf.NamedTensorMap, seed: tf.Tensor1D): Losses => {
    const noise = tf.mul(tf.cast(tf.slice(seed, [1], [1]), 'float32'), 0.01);
    const error = tf.sub(module.forward(x as tf.Tensor2D), tf.add(tf.sum(x!, 1, true), noise));
    const squared = tf.mean(tf.square(error)) as tf.Scalar;
    return { loss: tf.mul(squared, 2), squared };
  };
  return trainStep({
    module,
    loss,
    optimizer: adamW(module.parameters()),
    clipGradNorm: 5,
    emaDecay: 0.9,
    accumulation,
  });
}

async function run(setup: Setup = {}): Promise<{ outcome: TrainOutcome; weights: number[]; folder: string }> {
  const { name = 'run', resume = false, config = 'a: 1\n', width = 1, accumulation = 1, afterUpdate, poison } = setup;
  const folder = setup.folder ?? openRunFolder({ folder: join(root, name), resume, config });
  const step = makeStep(width, accumulation);
  const length = setup.length ?? { epochs: 4 };
  const counted: TrainStep = {
    ...step,
    run(taken, options) {
      setup.inLoss?.(options.update);
      const values = step.run(taken, options);
      afterUpdate?.(options.update);
      return values;
    },
  };
  try {
    const outcome = await train({
      seed: 5,
      logEvery: 4,
      ...setup,
      folder,
      step: counted,
      length,
      data: {
        batchesPerEpoch: setup.batchesPerEpoch ?? BATCHES,
        batchSize: 4,
        epoch: (epoch, firstBatch) => batches(epoch, firstBatch, poison),
      },
      schedule: createSchedule(
        { name: 'cosine' },
        { lr: setup.lr ?? 0.05, length: { epochs: 4 }, updatesPerEpoch: BATCHES },
      ),
      stream,
    });
    const own = [...step.module.state().values()].flatMap(({ variable }) => Array.from(variable.dataSync()));
    const readers = [...step.state.values()].flatMap((values) => [...values.readers().values()]);
    const weights = [...own, ...readers.flatMap((read) => Array.from(read()))];
    return { outcome, weights, folder: folder.folder };
  } finally {
    folder.close();
    step.dispose();
    step.module.dispose();
  }
}

const failure = (setup: Setup): Promise<string> =>
  run(setup).then(
    () => {
      throw new Error('expected an error');
    },
    (error: Error) => error.message.replaceAll(`${root}/`, ''),
  );

/** The log without times and rates. */
function metrics(name = 'run'): Record<string, unknown>[] {
  const lines = readFileSync(join(root, name, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => {
    const { time, samplesPerSecond, idle, ...rest } = JSON.parse(line) as Record<string, unknown>;
    expect(time).toEqual(expect.any(String));
    expect(samplesPerSecond === undefined || Number.isFinite(samplesPerSecond)).toBe(true);
    expect(idle === undefined || (Number(idle) >= 0 && Number(idle) < 1)).toBe(true);
    return rest;
  });
}

/** The steps whose lines tell a rate. */
function stepsWithRate(): unknown[] {
  const lines = readFileSync(join(root, 'run/metrics.jsonl'), 'utf8').trim().split('\n');
  const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return records.filter((record) => 'samplesPerSecond' in record).map(({ step }) => step);
}

const evaluation: Evaluation = {
  every: 2,
  run: async ({ step }) => ({ top1: step === 12 ? 0.9 : 0.1 }),
  best: { metric: 'top1' },
};

const interruptAfter = (updates: number) => (update: number) => {
  if (update + 1 === updates) process.emit('SIGINT');
};

describe('train', () => {
  it('runs to the end and leaves log, events, records and checkpoints', async () => {
    const { outcome, folder } = await run({ evaluation, keep: 2 });
    expect(outcome).toEqual({ outcome: 'finished', step: 24, exitCode: 0, metrics: { top1: 0.1 } });
    expect(readdirSync(folder).filter((name) => !name.startsWith('events.'))).toEqual([
      ...['best.json', 'best.safetensors', 'config.yaml', 'last.safetensors', 'metrics.jsonl', 'run.json'],
      ...['step-00000018.safetensors', 'step-00000024.safetensors'],
    ]);
    expect(metrics().map(({ kind, step, epoch }) => [kind, step, epoch])).toEqual([
      ['train', 1, 0.1667],
      ['train', 4, 0.6667],
      ['train', 8, 1.3333],
      ['train', 12, 2],
      ['evaluation', 12, 2],
      ['train', 16, 2.6667],
      ['train', 20, 3.3333],
      ['train', 24, 4],
      ['evaluation', 24, 4],
    ]);
    // The first step was recorded too, which tells nothing about the rate.
    expect(stepsWithRate()).toEqual([4, 8, 12, 16, 20, 24]);
    expect(metrics()[0]).toMatchObject({
      lr: expect.any(Number),
      loss: expect.any(Number),
      gradNorm: expect.any(Number),
    });
    expect(JSON.parse(readFileSync(join(folder, 'best.json'), 'utf8'))).toMatchObject({ step: 12, value: 0.9 });
    expect(output).toContain('evaluation after step 12: top1 0.9');
  });

  it('learns', async () => {
    await run({ length: { iterations: 40 }, logEvery: 1, saveEvery: 40 });
    const losses = metrics().map(({ loss }) => loss as number);
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
  });

  it('names checkpoint tensors officially, in PyTorch shapes, with optimizer and averages', async () => {
    const { folder } = await run({ width: 3 });
    const file = readSafetensors(join(folder, 'last.safetensors'));
    expect([...file.tensors].map(([name, { shape }]) => [name, [...shape]])).toEqual([
      ['weight', [3, 2]],
      ['bias', [3]],
      ['ema.weight', [3, 2]],
      ['ema.bias', [3]],
      ['optimizer.exp_avg.weight', [3, 2]],
      ['optimizer.exp_avg.bias', [3]],
      ['optimizer.exp_avg_sq.weight', [3, 2]],
      ['optimizer.exp_avg_sq.bias', [3]],
    ]);
    expect(file.metadata['config']).toBe('a: 1\n');
    file.close();
  });

  it('gives the best weights, averaged or not, to a fresh module', async () => {
    const { folder, weights } = await run({
      evaluation: { every: 4, run: async () => ({ top1: 1 }), best: { metric: 'top1' } },
    });
    const module = new Linear(2, 1);
    const read = (): number[] =>
      [...module.state().values()].flatMap(({ variable }) => Array.from(variable.dataSync()));
    const best = join(folder, 'best.safetensors');
    expect(loadWeightsFile(best, module).info!.metrics).toEqual({ top1: 1 });
    expect(read()).toEqual(weights.slice(3, 6));
    expect(loadWeightsFile(best, module, { ema: false }).report.loaded).toEqual(['weight', 'bias']);
    expect(read()).toEqual(weights.slice(0, 3));
    expect(() => loadWeightsFile(best, new Linear(3, 1))).toThrow(
      `${best}: the weights do not fit: 1 mis-shaped (weight: expected float32 [1, 3], received float32 [1, 2])`,
    );
    module.dispose();
  });

  it('evaluates the averages and gives the weights back', async () => {
    const seen: number[] = [];
    const whole = await run({ name: 'plain' });
    const folder = openRunFolder({ folder: join(root, 'averaged'), config: '' });
    const averaged = await run({
      folder,
      evaluation: { every: 1, run: async ({ step }) => ({ step: seen.push(step) }) },
    });
    expect(seen).toEqual([6, 12, 18, 24]);
    expect(averaged.weights).toEqual(whole.weights);
  });

  it('keeps the tensor count', async () => {
    const counts: number[] = [];
    await run({
      length: { iterations: 300 },
      logEvery: 10,
      saveEvery: 50,
      afterUpdate: () => counts.push(tf.memory().numTensors),
    });
    // The values of at most ten updates wait for the log.
    expect(counts[289]! - counts[9]!).toBe(0);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThan(10);
  });
});

describe('resume', () => {
  const evaluated = { evaluation: { every: 1, run: async ({ step }: { step: number }) => ({ top1: step }) } };

  it.each([1, 2])('gives the numbers of an uninterrupted run, bit by bit (accumulation %i)', async (accumulation) => {
    const whole = await run({ name: 'whole', accumulation, ...evaluated });
    const updates = whole.outcome.step;
    for (const stop of [1, 3, 5, 6, 11]) {
      const part = await run({ name: `part${stop}`, accumulation, ...evaluated, afterUpdate: interruptAfter(stop) });
      expect(part.outcome).toMatchObject({ outcome: 'interrupted', step: stop, exitCode: 130 });
      const rest = await run({ name: `part${stop}`, accumulation, ...evaluated, resume: true });
      expect(rest.outcome).toMatchObject({ outcome: 'finished', step: updates });
      expect(rest.weights).toEqual(whole.weights);
      expect(metrics(`part${stop}`)).toEqual(metrics('whole'));
    }
  });

  it('drops lines of the log that the checkpoint does not know of, and half a line', async () => {
    const whole = await run({ name: 'whole', ...evaluated });
    await run({ ...evaluated, afterUpdate: interruptAfter(9) });
    const log = join(root, 'run/metrics.jsonl');
    writeFileSync(log, `${readFileSync(log, 'utf8')}{"kind":"train","step":12,"loss":3}\n{"kind":"tr`);
    const rest = await run({ ...evaluated, resume: true });
    expect(rest.weights).toEqual(whole.weights);
    expect(metrics()).toEqual(metrics('whole'));
  });

  it('makes up for an evaluation that was cut off', async () => {
    const broken = { evaluation: { every: 1, run: () => Promise.reject(new Error('no image')) } };
    await expect(run(broken)).rejects.toThrow('no image');
    await run({ ...evaluated, resume: true });
    expect(
      metrics()
        .filter(({ kind }) => kind === 'evaluation')
        .map(({ step }) => step),
    ).toEqual([6, 12, 18, 24]);
  });

  it('ends an evaluation that Ctrl-C cuts short, and makes up for it', async () => {
    const abortable: Evaluation = {
      ...evaluation,
      run: async ({ signal }) => {
        process.emit('SIGINT');
        signal.throwIfAborted();
        return { top1: 1 };
      },
    };
    const { outcome } = await run({ evaluation: abortable });
    expect(outcome).toMatchObject({ outcome: 'interrupted', step: 12, exitCode: 130, metrics: undefined });
    await run({ evaluation, resume: true });
    expect(metrics().filter(({ kind }) => kind === 'evaluation')).toMatchObject([
      { step: 12, top1: 0.9 },
      { step: 24, top1: 0.1 },
    ]);
  });

  it('says so when nothing is left to do', async () => {
    const first = await run();
    const again = await run({ resume: true });
    expect(again.outcome).toMatchObject({ outcome: 'finished', step: 24 });
    expect(again.weights).toEqual(first.weights);
  });

  it('keeps the old configuration beside a changed one and tells the first change', async () => {
    await run({ length: { epochs: 2 } });
    await run({ resume: true, config: 'a: 2\n' });
    expect(readFileSync(join(root, 'run/config.yaml'), 'utf8')).toBe('a: 2\n');
    expect(readFileSync(join(root, 'run/config.1.yaml'), 'utf8')).toBe('a: 1\n');
    expect(output).toContain("'a: 1' is now 'a: 2'");
    const { starts } = JSON.parse(readFileSync(join(root, 'run/run.json'), 'utf8')) as { starts: unknown[] };
    expect(starts).toHaveLength(2);
  });

  it('refuses a run without --resume, and --resume without a run', async () => {
    await run();
    const before = readFileSync(join(root, 'run/last.safetensors'));
    expect(await failure({})).toBe(
      'run: holds a run already (run.json); --resume goes on with it, --out takes another folder',
    );
    expect(await failure({ name: 'none', resume: true })).toBe(
      'none: nothing to resume, expected last.safetensors in it',
    );
    expect(readFileSync(join(root, 'run/last.safetensors'))).toEqual(before);
    expect(existsSync(join(root, 'none'))).toBe(false);
  });

  it('refuses a checkpoint of another model, seed or data set', async () => {
    await run({ length: { epochs: 1 } });
    expect(await failure({ resume: true, width: 2 })).toBe(
      'run/last.safetensors: belongs to another model or optimizer: 8 tensors of another shape (weight float32 [1,2], expected float32 [2,2], ...)',
    );
    expect(await failure({ resume: true, seed: 6 })).toBe('run/last.safetensors: was trained with seed 5, not 6');
    expect(await failure({ resume: true, batchesPerEpoch: 5 })).toContain(
      'counts 6 updates an epoch, the data now gives 5',
    );
  });

  it('cuts hostile names of a checkpoint', async () => {
    await run({ length: { epochs: 1 } });
    const path = join(root, 'run/last.safetensors');
    const { tensors, metadata } = readSafetensors(path);
    const hostile = `\u001b[2J\n${'x'.repeat(100_000)}`;
    const entries = [...tensors].map(([name, { dtype, shape, data }]) => [name, { dtype, shape, data }] as const);
    writeSafetensors(path, [...entries, [hostile, entries[0]![1]]], { ...metadata });
    expect(await failure({ resume: true })).toMatch(
      /belongs to another model or optimizer: 1 tensor that the model does not have \( \[2J x{190,200}\.\.\.\)$/,
    );
  });

  it('leaves the records of a run that it cannot go on with', async () => {
    await run({ length: { epochs: 1 } });
    const records = (): string[] =>
      ['config.yaml', 'run.json'].map((name) => readFileSync(join(root, 'run', name), 'utf8'));
    const before = records();
    expect(await failure({ resume: true, width: 2, config: 'a: 2\n' })).toContain('belongs to another model');
    expect(records()).toEqual(before);
    expect(existsSync(join(root, 'run/config.1.yaml'))).toBe(false);
  });

  it('refuses a truncated checkpoint and leaves it', async () => {
    await run({ length: { epochs: 1 } });
    const last = join(root, 'run/last.safetensors');
    truncateSync(last, 700);
    const before = readFileSync(last);
    expect(await failure({ resume: true })).toMatch(/^run\/last\.safetensors: /);
    expect(readFileSync(last)).toEqual(before);
  });
});

describe('early stopping', () => {
  /** The best value at step 12, by evaluations after each epoch. */
  const curve = (step: number): number => ({ 6: 0.3, 12: 0.9, 18: 0.9, 24: NaN, 30: 0.5, 36: 1 })[step] ?? 0;
  const watched = (patience?: number): Setup => ({
    length: { epochs: 8 },
    evaluation: {
      every: 1,
      run: async ({ step }) => ({ top1: curve(step), top5: 1 }),
      best: { metric: 'top1' },
      patience,
    },
  });
  const endOf = (name: string): unknown => {
    const { starts } = JSON.parse(readFileSync(join(root, name, 'run.json'), 'utf8')) as {
      starts: { ended: object }[];
    };
    return starts.at(-1)!.ended;
  };

  it('ends a run after so many evaluations without a better one', async () => {
    const { outcome } = await run(watched(3));
    expect(outcome).toMatchObject({ outcome: 'stopped early', step: 30, exitCode: 0 });
    expect(output).toContain(
      'stopped early at step 30 of 48: top1 has not improved in 3 evaluations, its best is 0.9 at step 12',
    );
    expect(endOf('run')).toMatchObject({ outcome: 'stopped early', step: 30, time: expect.any(String) });
    const last = readSafetensors(join(root, 'run/last.safetensors'));
    expect(JSON.parse(last.metadata['training']!)).toMatchObject({ step: 30 });
    last.close();
    expect(JSON.parse(readFileSync(join(root, 'run/best.json'), 'utf8'))).toMatchObject({ step: 12 });
  });

  it('leaves a run alone whose metric still improves in time', async () => {
    expect((await run(watched(4))).outcome).toMatchObject({ outcome: 'finished', step: 48 });
    expect((await run({ ...watched(), name: 'free' })).outcome).toMatchObject({ outcome: 'finished', step: 48 });
    expect(endOf('free')).toMatchObject({ outcome: 'finished', step: 48 });
  });

  it('ends where an uninterrupted run ends, wherever it was interrupted, to the same bits', async () => {
    const whole = await run({ name: 'whole', ...watched(3) });
    for (const stop of [5, 13, 18, 19, 29]) {
      const part = { name: `part${stop}`, ...watched(3) };
      await run({ ...part, afterUpdate: interruptAfter(stop) });
      expect(endOf(part.name)).toMatchObject({ outcome: 'interrupted', step: stop });
      const rest = await run({ ...part, resume: true });
      expect(rest.outcome).toMatchObject({ outcome: 'stopped early', step: 30 });
      expect(rest.weights).toEqual(whole.weights);
      expect(metrics(part.name)).toEqual(metrics('whole'));
    }
  });

  it('is over for good, unless the patience is longer', async () => {
    await run(watched(3));
    expect((await run({ ...watched(3), resume: true })).outcome).toMatchObject({ outcome: 'stopped early', step: 30 });
    expect((await run({ ...watched(5), resume: true })).outcome).toMatchObject({ outcome: 'finished', step: 48 });
  });

  it('follows a metric that should fall', async () => {
    const falling: Evaluation = {
      every: 1,
      run: async ({ step }) => ({ loss: step === 12 ? 1 : 2 }),
      best: { metric: 'loss', mode: 'min' },
      patience: 1,
    };
    expect((await run({ length: { epochs: 8 }, evaluation: falling })).outcome).toMatchObject({ step: 18 });
  });
});

describe('trouble', () => {
  it('stops at the first value that is not finite, naming step and value, and keeps the checkpoint', async () => {
    expect(await failure({ poison: 14, logEvery: 50, saveEvery: 1 })).toMatch(
      /^step 15: loss is (Infinity|NaN), squared is (Infinity|NaN), gradNorm is (Infinity|NaN); training stops/,
    );
    const file = readSafetensors(join(root, 'run/last.safetensors'));
    expect(JSON.parse(file.metadata['training']!)).toMatchObject({ step: 12 });
    for (const { data } of file.tensors.values())
      expect(Array.from(data as Float32Array).every(Number.isFinite)).toBe(true);
    file.close();
  });

  it('finds an update that overflows when it happens', async () => {
    expect(await failure({ lr: 1e38, logEvery: 50 })).toMatch(
      /^step 1: loss is [\d.e-]+, the update made the norm of the weights (Infinity|NaN); training stops/,
    );
  });

  it('names step and loss where the engine stumbles', async () => {
    const afterUpdate = (update: number): void => {
      if (update === 4) throw new Error('Boxes contains at least one element that is not finite');
    };
    expect(await failure({ inLoss: afterUpdate })).toMatch(
      /^step 5: values are not finite \(Boxes contains .* not finite\), the loss of the step before was [\d.e-]+; training stops/,
    );
  });

  it('tells the rate of a run of one step', async () => {
    await run({ length: { iterations: 1 } });
    expect(output).not.toContain('NaN');
  });

  it('names data that ends early', async () => {
    expect(await failure({ batchesPerEpoch: 7 })).toBe('the data ended before the 7 batches that an epoch should have');
  });

  it('names an epoch shorter than an update', async () => {
    expect(await failure({ accumulation: 9 })).toBe('an epoch has 6 batches, fewer than the 9 of one update');
  });

  it('names an unknown metric for the best checkpoint', async () => {
    const best = { every: 1, run: async () => ({ top1: 1, top5: 1 }), best: { metric: 'top' } };
    expect(await failure({ evaluation: best })).toBe('best metric: expected one of top1, top5, received top');
  });

  it('does not take NaN for the best', async () => {
    const nan: Evaluation = { every: 1, run: async () => ({ top1: NaN }), best: { metric: 'top1' } };
    expect(await failure({ evaluation: nan })).toBe(
      'the evaluation after step 24 gave no number (top1): no sample of the validation set was counted; ' +
        'the weights are in last.safetensors',
    );
    expect(existsSync(join(root, 'run/best.safetensors'))).toBe(false);
    expect(existsSync(join(root, 'run/last.safetensors'))).toBe(true);
  });
});
