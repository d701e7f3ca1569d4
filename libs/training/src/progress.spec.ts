/** The progress display on a terminal and in a log file. */
import { PassThrough } from 'node:stream';
import { createProgress, type ProgressState } from './progress';

const state = (step: number): ProgressState => ({
  step,
  epoch: step / 10,
  loss: 1.23456,
  lr: 1e-4,
  samplesPerSecond: 2,
});

function listen(isTTY: boolean): { stream: NodeJS.WritableStream; heard: () => string } {
  let text = '';
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 200 });
  stream.on('data', (chunk) => (text += String(chunk)));
  return { stream, heard: () => text };
}

describe('createProgress', () => {
  it('writes a line now and then where there is no terminal, and always the last', () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(0);
    const { stream, heard } = listen(false);
    const progress = createProgress({ total: 4000, start: 0, samplesPerUpdate: 2, stream });
    for (const [time, step] of [
      [0, 1],
      [9_999, 2],
      [10_000, 3],
      [10_001, 4000],
    ] as const) {
      now.mockReturnValue(time);
      progress.show(state(step));
    }
    progress.say('saved');
    progress.stop();
    now.mockRestore();
    expect(heard()).toBe(
      'step 1/4000 | epoch 0.10 | loss 1.235 | lr 1.00e-4 | 2.0 images/s | 1:06:39 left\n' +
        'step 3/4000 | epoch 0.30 | loss 1.235 | lr 1.00e-4 | 2.0 images/s | 1:06:37 left\n' +
        'step 4000/4000 | epoch 400.00 | loss 1.235 | lr 1.00e-4 | 2.0 images/s | 0:00 left\n' +
        'saved\n',
    );
  });

  it('draws a bar on a terminal and leaves nothing unsaid', () => {
    const { stream, heard } = listen(true);
    const progress = createProgress({ total: 40, start: 0, samplesPerUpdate: 2, stream });
    progress.show(state(10));
    progress.say('saved');
    progress.stop();
    expect(heard()).toContain('saved\n');
    expect(heard()).toContain('25% | 10/40 | epoch 1.00 | loss 1.235 | lr 1.00e-4 | 2.0 images/s | 0:30 left');
  });
});
