/** Learning-rate schedules against the numbers of timm, mmcv and PyTorch. */
import { describeWith, expectClose, goldenFolder } from '@pyramidal/testing';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSchedule, type RunLength, type ScheduleOptions } from './schedule';

const fixture = JSON.parse(readFileSync(join(__dirname, '../fixtures/schedules.json'), 'utf8')) as Record<
  string,
  number[]
>;

function rates(
  options: ScheduleOptions,
  length: RunLength,
  updatesPerEpoch: number,
  lr = 1e-3,
  count?: number,
): number[] {
  const schedule = createSchedule(options, { lr, length, updatesPerEpoch });
  const total = 'epochs' in length ? length.epochs * updatesPerEpoch : length.iterations;
  return Array.from({ length: count ?? total }, (_, update) => schedule(update));
}

const every = (values: readonly number[], period: number): number[] => values.filter((_, i) => i % period === 0);

describe('schedules made by timm and PyTorch (fixtures/make_fixtures.py)', () => {
  const cosine = { name: 'cosine', minLr: 1e-5 } as const;

  it('cosine, an update at a time, warm-up beneath', () => {
    const warmup = { epochs: 2, startLr: 1e-6 };
    expectClose(rates({ ...cosine, warmup }, { epochs: 10 }, 4), fixture['cosine_per_update']!, { rtol: 1e-12 });
    const inIterations = { ...cosine, warmup: { iterations: 8, startLr: 1e-6 } };
    expectClose(rates(inIterations, { iterations: 40 }, 4), fixture['cosine_per_update']!, { rtol: 1e-12 });
  });

  it('cosine, an epoch at a time', () => {
    const found = rates({ ...cosine, per: 'epoch', warmup: { epochs: 2, startLr: 1e-6 } }, { epochs: 10 }, 4);
    expectClose(every(found, 4), fixture['cosine_per_epoch']!, { rtol: 1e-12 });
    expect(found[7]).toBe(found[4]);
  });

  it('cosine that starts when the warm-up ends', () => {
    const warmup = { epochs: 2, startLr: 1e-6, shift: true };
    expectClose(rates({ ...cosine, warmup }, { epochs: 10 }, 4), fixture['cosine_shifted']!, { rtol: 1e-12 });
  });

  it('poly', () => {
    const options = { name: 'poly', power: 0.9, minLr: 1e-5 } as const;
    expectClose(rates(options, { iterations: 40 }, 7), fixture['poly_per_update']!, { rtol: 1e-12 });
  });

  it('milestones in epochs', () => {
    const found = rates({ name: 'step', milestones: [8, 11] }, { epochs: 12 }, 3);
    expectClose(every(found, 3), fixture['multi_step']!, { rtol: 1e-12 });
  });
});

describe('warm-up as mmcv does it', () => {
  // LrUpdaterHook.get_warmup_lr, 'linear': regular * (1 - (1 - i / iters) * (1 - ratio)).
  const mmcv = (regular: number, i: number, iters: number, ratio: number): number =>
    regular * (1 - (1 - i / iters) * (1 - ratio));

  it('raises what poly gives at the same step', () => {
    const warmup = { iterations: 5, startLr: 6e-5 * 1e-6, convention: 'mmcv' } as const;
    const found = rates({ name: 'poly', power: 1, warmup }, { iterations: 20 }, 6, 6e-5);
    const poly = (i: number): number => 6e-5 * (1 - i / 20);
    const expected = Array.from({ length: 20 }, (_, i) => (i < 5 ? mmcv(poly(i), i, 5, 1e-6) : poly(i)));
    expectClose(found, expected, { rtol: 1e-12 });
  });

  it('counts iterations while the milestones count epochs', () => {
    const warmup = { iterations: 4, startLr: 1e-7, convention: 'mmcv' } as const;
    const found = rates({ name: 'step', milestones: [2], warmup }, { epochs: 3 }, 3, 1e-4);
    const expected = [0, 1, 2, 3].map((i) => mmcv(1e-4, i, 4, 1e-3)).concat([1e-4, 1e-4, 1e-5, 1e-5, 1e-5]);
    expectClose(found, expected, { rtol: 1e-12 });
  });
});

describe('createSchedule', () => {
  it('keeps a constant rate, with milestones in iterations where the run counts them', () => {
    expect(rates({ name: 'constant' }, { iterations: 3 }, 2)).toEqual([1e-3, 1e-3, 1e-3]);
    const found = rates({ name: 'step', milestones: [1, 3], gamma: 0.5 }, { iterations: 4 }, 2, 1);
    expect(found).toEqual([1, 0.5, 0.5, 0.25]);
  });

  it('stays at the lowest rate after the end', () => {
    expect(rates({ name: 'cosine', minLr: 1e-5 }, { epochs: 2 }, 2, 1, 8).slice(4)).toEqual([1e-5, 1e-5, 1e-5, 1e-5]);
  });

  it('may reach full height with the last warm-up step', () => {
    const found = rates({ name: 'constant', warmup: { iterations: 4, inclusive: true } }, { iterations: 5 }, 1, 1);
    expect(found).toEqual([0.25, 0.5, 0.75, 1, 1]);
  });
});

describeWith(goldenFolder(), 'the schedule of golden/backbones/training.json', (folder) => {
  it('gives the learning rate of each of the 20 steps', () => {
    const { runs } = JSON.parse(readFileSync(join(folder, 'backbones/training.json'), 'utf8')) as {
      runs: Record<string, { float64: { steps: { lr: number }[] } }>;
    };
    const warmup = { iterations: 5, inclusive: true, shift: true };
    const found = rates({ name: 'cosine', minLr: 1e-5, warmup }, { iterations: 20 }, 20);
    expectClose(
      found,
      runs['smt_tiny']!.float64.steps.map(({ lr }) => lr),
      { rtol: 1e-12 },
    );
  });
});
