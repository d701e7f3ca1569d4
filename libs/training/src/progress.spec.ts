/** The progress display on a terminal, in a log file and for programs. */
import { PassThrough } from 'node:stream';
import { createProgress, type ProgressState } from './progress';
import { sparkline } from './sparkline';

const state = (step: number, loss = 1.23456): ProgressState => ({
  step,
  epoch: step / 10,
  losses: { loss, box: 0.5 },
  lr: 1e-4,
  samplesPerSecond: 2,
});

function listen(isTTY: boolean): { stream: NodeJS.WritableStream; heard: () => string } {
  let text = '';
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 200 });
  stream.on('data', (chunk) => (text += String(chunk)));
  return { stream, heard: () => text };
}

const score = { step: 20, epoch: 2, metrics: { AP: 0.3123456 }, best: { metric: 'AP', value: 0.33 } };

describe('createProgress', () => {
  let now = 0;
  beforeEach(() => {
    now = 0;
    jest.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => jest.restoreAllMocks());

  it('writes a line now and then where there is no terminal, and always the last', () => {
    const { stream, heard } = listen(false);
    const progress = createProgress({ total: 4000, samplesPerUpdate: 2, stream });
    for (const [time, step] of [
      [0, 1],
      [9_999, 2],
      [10_000, 3],
      [10_001, 4000],
    ] as const) {
      now = time;
      progress.show(state(step));
    }
    progress.evaluated(score);
    progress.warn('saved');
    progress.stop();
    expect(heard()).toBe(
      'step 1/4000 | epoch 0.10 | loss 1.235 | lr 1.00e-4 | 2.0 images/s | 1:06:39 left\n' +
        'step 3/4000 | epoch 0.30 | loss 1.235 | lr 1.00e-4 | 2.0 images/s | 1:06:37 left\n' +
        'step 4000/4000 | epoch 400.00 | loss 1.235 | lr 1.00e-4 | 2.0 images/s | 0:00 left\n' +
        'evaluation after step 20: AP 0.31235\n' +
        'saved\n',
    );
  });

  it('draws one block on a terminal: bar, losses by name with their curve, rate, score', () => {
    const { stream, heard } = listen(true);
    const progress = createProgress({ total: 40, samplesPerUpdate: 2, stream });
    progress.show(state(10, 3));
    progress.show(state(20, 1));
    progress.evaluated(score);
    now = 1000;
    progress.show(state(30, 2));
    progress.stop();
    const block = heard().split('\x1b[J').at(-1)?.split('\n') ?? [];
    expect(block.slice(0, 2)).toEqual([
      `${'█'.repeat(18)}${'░'.repeat(6)} 75 % step 30/40 | epoch 3.00 | 0:10 left`,
      '█▁▅ loss 2.000 | box 0.500',
    ]);
    expect(block[2]).toMatch(/^2\.0 images\/s \| lr 1\.00e-4 \| \d+\.\d GB$/);
    expect(block.slice(3)).toEqual(['AP 0.31235 after step 20, best 0.33', '']);
    expect(heard()).toContain('evaluation after step 20: AP 0.31235\n');
  });

  it('is quiet but for warnings', () => {
    const { stream, heard } = listen(true);
    const progress = createProgress({ total: 40, samplesPerUpdate: 2, style: 'quiet', stream });
    progress.show(state(10));
    progress.evaluated(score);
    progress.say('saved');
    progress.warn('disk is full');
    progress.stop();
    expect(heard()).toBe('disk is full\n');
  });

  it('writes a JSON object a line for programs', () => {
    const { stream, heard } = listen(false);
    const progress = createProgress({ total: 40, samplesPerUpdate: 2, style: 'json', stream });
    progress.show(state(10));
    progress.evaluated(score);
    progress.say('saved');
    progress.warn('disk is full');
    const lines = heard().trimEnd().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      {
        ...{ kind: 'train', step: 10, epoch: 1, total: 40, lr: 1e-4, samplesPerSecond: 2 },
        losses: { loss: 1.23456, box: 0.5 },
      },
      { kind: 'evaluation', ...score },
      { kind: 'note', text: 'saved' },
      { kind: 'warning', text: 'disk is full' },
    ]);
  });
});

describe('sparkline', () => {
  it('goes from the least value to the largest, and is flat where they are equal', () => {
    expect(sparkline([0, 1, 2, 7])).toBe('▁▂▃█');
    expect(sparkline([3, 3])).toBe('▁▁');
    expect(sparkline([])).toBe('');
  });

  it('leaves a gap for what is not finite', () => expect(sparkline([1, NaN, 2])).toBe('▁ █'));
});
