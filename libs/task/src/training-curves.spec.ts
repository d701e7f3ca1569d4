import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trainingCurves } from './training-curves';

const CHART = { file: 'accuracy.png', title: 'Validation', yLabel: 'share', metrics: ['top1'] };
const TRAIN = { kind: 'train', step: 1, loss: 2 };
const EVALUATION = { kind: 'evaluation', step: 1, top1: 0.5 };

describe('trainingCurves', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'curves-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const curvesOf = (lines: readonly object[]) => {
    const file = join(folder, 'metrics.jsonl');
    writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return trainingCurves(file, CHART);
  };

  it.each([
    ['losses and evaluations', [TRAIN, EVALUATION]],
    ['losses before the first evaluation', [TRAIN]],
  ])('draws %s', async (_, lines) => {
    const curves = await curvesOf(lines);
    expect([...curves.keys()]).toEqual(['loss.png', 'accuracy.png']);
    for (const png of curves.values()) expect(png.subarray(1, 4).toString()).toBe('PNG');
  });

  it('draws the validation loss beside that of training, where evaluations measured one', async () => {
    const lines = [TRAIN, { ...TRAIN, step: 2, loss: 1 }];
    const measured = await curvesOf([...lines, { ...EVALUATION, step: 2, loss: 1.5 }]);
    const unmeasured = await curvesOf([...lines, { ...EVALUATION, step: 2 }]);
    expect(measured.get('loss.png')).not.toEqual(unmeasured.get('loss.png'));
    expect(measured.get('accuracy.png')).toEqual(unmeasured.get('accuracy.png'));
  });

  it('leaves a metric without a value out of the legend', async () => {
    const file = join(folder, 'metrics.jsonl');
    writeFileSync(file, `${JSON.stringify(EVALUATION)}\n`);
    const [alone, withMasks] = await Promise.all(
      [['top1'], ['top1', 'maskAP']].map((metrics) => trainingCurves(file, { ...CHART, metrics })),
    );
    expect(withMasks!.get('accuracy.png')).toEqual(alone!.get('accuracy.png'));
  });

  it('draws a log whose last line was cut short, and names a damaged one', async () => {
    const file = join(folder, 'metrics.jsonl');
    writeFileSync(file, `${JSON.stringify(TRAIN)}\n{"kind": "tr`);
    expect((await trainingCurves(file, CHART)).size).toBe(2);
    writeFileSync(file, `${JSON.stringify(TRAIN)}\n{"kind": 3, "step": 1}\n`);
    await expect(trainingCurves(file, CHART)).rejects.toThrow(/metrics\.jsonl:2: kind: .*expected string/);
  });

  it('draws nothing of a run that was stopped before its first line', async () => {
    expect((await trainingCurves(join(folder, 'metrics.jsonl'), CHART)).size).toBe(0);
  });
});
