import { balanced, classWeights } from './class-weights';

describe('balanced weights', () => {
  it('are those of scikit-learn', () => {
    // compute_class_weight('balanced', classes=[0, 1, 2], y=[0] * 6 + [1] * 3 + [2]): [10 / 18, 10 / 9, 10 / 3]
    expect(balanced([6, 3, 1])).toEqual([10 / 18, 10 / 9, 10 / 3]);
    expect(balanced([5, 5])).toEqual([1, 1]);
  });

  it('make all classes that there are count alike', () => {
    const counts = [120, 0, 7, 33];
    const shares = balanced(counts).map((weight, label) => weight * counts[label]!);
    expect(shares[0]).toBeCloseTo(160 / 3, 10);
    expect(shares[2]).toBeCloseTo(shares[0]!, 10);
    expect(balanced(counts)[1]).toBe(1);
  });
});

describe('classWeights', () => {
  const classes = ['cat', 'dog', 'eel'];
  const told: string[] = [];
  const weights = (choice: 'balanced' | number[] | undefined) =>
    classWeights(choice, { classes, count: () => [6, 3, 1] }, (line) => told.push(line));

  it('tells balanced ones, takes a list as it is, and counts nothing for neither', async () => {
    expect(await weights('balanced')).toEqual([10 / 18, 10 / 9, 10 / 3]);
    expect(told).toEqual(['class weights: cat 0.556, dog 1.11, eel 3.33']);
    expect(await weights([1, 2, 3])).toEqual([1, 2, 3]);
    expect(await weights(undefined)).toBeUndefined();
  });

  it('refuses a list of another length', async () => {
    await expect(weights([1, 2])).rejects.toThrow(
      'loss.classWeights: expected 3 numbers, one for each class, received 2',
    );
  });
});
