import { chartsOf, rowsOf } from '../testing/read-page';
import { trainingReport, type TrainingRun } from './training-report';

const run = (name: string, factor = 1): TrainingRun => ({
  name,
  records: [
    { kind: 'train', step: 1, epoch: 0.5, time: 'now', lr: 0.1, loss: 20 * factor, mask: 3, samplesPerSecond: 4 },
    { kind: 'train', step: 2, epoch: 1, time: 'now', lr: 0.2, loss: 1 * factor, mask: 2, samplesPerSecond: 5 },
    { kind: 'evaluation', step: 2, epoch: 1, time: 'now', boxAP: 0.25, loss: 2 * factor },
  ],
});

it('draws losses by name, with the validation loss, metrics and rates', () => {
  const page = trainingReport('Training', [run('a')]);
  const drawn = chartsOf(page).map(({ title, series }) => [title, series.map(({ name, points }) => [name, points])]);
  expect(drawn).toEqual([
    ['Loss', [['training', [[1, 20], [2, 1]]], ['validation', [[2, 2]]]]],
    ['mask', [['mask', [[1, 3], [2, 2]]]]],
    ['boxAP', [['boxAP', [[2, 0.25]]]]],
    ['learning rate', [['lr', [[1, 0.1], [2, 0.2]]]]],
    ['images a second', [['samplesPerSecond', [[1, 4], [2, 5]]]]],
  ]); // prettier-ignore
  expect(rowsOf(page, 'Evaluations')).toEqual([[2, 0.25, 2]]);
});

it('draws a loss that falls far by factors', () => {
  expect(chartsOf(trainingReport('Training', [run('a')]))[0]).toMatchObject({ isLogarithmic: true });
});

it('draws runs over each other under their names', () => {
  const [loss] = chartsOf(trainingReport('Two', [run('a'), run('b', 2)]));
  expect(loss!.series.map(({ name, points }) => [name, points[0]![1]])).toEqual([
    ['a: training', 20],
    ['a: validation', 2],
    ['b: training', 40],
    ['b: validation', 4],
  ]);
});

it('draws a long run with as many points as a screen can show, its ends among them', () => {
  const records = Array.from({ length: 10_001 }, (_, step) => ({ kind: 'train', step, loss: 1 }));
  const { points } = chartsOf(trainingReport('Training', [{ name: 'a', records }]))[0]!.series[0]!;
  const steps = points.map(([step]) => Number(step));
  expect([steps.length, steps[0], steps.at(-1)]).toEqual([1500, 0, 10_000]);
  expect(Math.max(...steps.slice(1).map((step, i) => step - steps[i]!))).toBeLessThanOrEqual(7);
});

it('is a page for a run that has logged nothing yet', () => {
  expect(chartsOf(trainingReport('Training', [{ name: 'a', records: [] }]))).toHaveLength(1);
});

it('draws metrics whose names objects have by themselves', () => {
  const records = [{ kind: 'train', step: 1, loss: 1, constructor: 2, toString: 3, ['__proto__']: 4 } as never];
  const titles = chartsOf(trainingReport('Training', [{ name: 'a', records }])).map(({ title }) => title);
  expect(titles).toEqual(['Loss', 'constructor', 'toString', '__proto__']);
});

it('draws many long runs over each other', () => {
  const records = Array.from({ length: 1500 }, (_, step) => ({ kind: 'train', step, loss: step + 1 }));
  const runs = Array.from({ length: 200 }, (_, i) => ({ name: `run ${i}`, records }));
  expect(chartsOf(trainingReport('Training', runs))[0]).toMatchObject({ isLogarithmic: true });
});
