import {
  classAccuracies,
  ClassificationMetrics,
  predictionsOf,
  requireNumbers,
  summarise,
  topClasses,
} from './classification-metrics';

describe('ClassificationMetrics', () => {
  it('counts first and first-five places and the confusion of classes', () => {
    const metrics = new ClassificationMetrics(6);
    const logits = Float32Array.of(5, 4, 3, 2, 1, 0, 5, 4, 3, 2, 1, 0, 5, 4, 3, 2, 1, 0);
    predictionsOf(logits, [0, 4, 5]).forEach((one) => metrics.count(one));
    const counts = metrics.counts();
    // log(1 + e^-1 + ... + e^-5) more than how far each image's class is below the highest logit: 0, 4 and 5.
    const loss = 3 + Math.log([0, 1, 2, 3, 4, 5].reduce((sum, below) => sum + Math.exp(-below), 0));
    expect(summarise(counts)).toEqual({ top1: 1 / 3, top5: 2 / 3, loss: expect.closeTo(loss, 6) });
    expect(
      [...counts.confusion].map((count, index) => (count > 0 ? [index, count] : [])).filter((cell) => cell.length),
    ).toEqual([
      [0 * 6 + 0, 1],
      [4 * 6 + 0, 1],
      [5 * 6 + 0, 1],
    ]);
  });

  it('adds up over batches of different sizes', () => {
    const metrics = new ClassificationMetrics(2);
    predictionsOf(Float32Array.of(1, 0, 0, 1), [0, 1]).forEach((one) => metrics.count(one));
    predictionsOf(Float32Array.of(1, 0), [1]).forEach((one) => metrics.count(one));
    expect(summarise(metrics.counts()).top1).toBeCloseTo(2 / 3, 12);
    expect(classAccuracies(metrics.counts())).toEqual([1, 0.5]);
  });

  it('ranks equal logits by class index and never counts one that is not a number as a hit', () => {
    const metrics = new ClassificationMetrics(2);
    predictionsOf(Float32Array.of(1, 1, 1, 1, NaN, NaN), [0, 1, 0]).forEach((one) => metrics.count(one));
    expect(metrics.counts().top1).toBe(1);
  });

  it('has no accuracy for a class without images', () => {
    const metrics = new ClassificationMetrics(3);
    predictionsOf(Float32Array.of(1, 0, 0), [0]).forEach((one) => metrics.count(one));
    expect(classAccuracies(metrics.counts())).toEqual([1, NaN, NaN]);
  });
});

it('outputs that are no numbers are no results', () => {
  expect(() => requireNumbers(1.5)).not.toThrow();
  for (const output of [NaN, Infinity, -Infinity])
    expect(() => requireNumbers(output)).toThrow(`expected finite numbers as its outputs, received ${output}`);
});

it('topClasses orders by falling logit', () => {
  expect(topClasses(Float32Array.of(0.1, 0.7, 0.1, 0.1), 3)).toEqual([1, 0, 2]);
  expect(topClasses(Float32Array.of(2, 1), 5)).toEqual([0, 1]);
});
