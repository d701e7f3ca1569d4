import { calibrationOf } from './calibration';

describe('calibrationOf', () => {
  it('is 0 where scores are shares', () => {
    const predictions = Array.from({ length: 10 }, (_, i) => ({ score: 0.7, isRight: i < 7 }));
    const { bins, error } = calibrationOf(predictions);
    expect(error).toBeCloseTo(0, 12);
    expect(bins[7]).toEqual({ count: 10, score: expect.closeTo(0.7, 12), accuracy: 0.7 });
  });

  it('weighs the distance of each bin by what is in it', () => {
    const sure = [{ score: 1, isRight: false }];
    const right = Array.from({ length: 3 }, () => ({ score: 0.9, isRight: true }));
    // Both bins are the last one: (1 + 2.7 - 3) / 4.
    expect(calibrationOf([...sure, ...right]).error).toBeCloseTo(0.7 / 4, 12);
    const low = [{ score: 0.05, isRight: true }];
    expect(calibrationOf([...low, ...right]).error).toBeCloseTo((0.95 + 0.3) / 4, 12);
  });

  it('has no number for nothing', () => expect(calibrationOf([]).error).toBeNaN());
});
