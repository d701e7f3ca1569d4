import { PixelBudget } from './pixel-budget';

describe('PixelBudget', () => {
  it('keeps the pixels in work within the budget, in the order of their coming, and lets a larger picture run alone', async () => {
    const budget = new PixelBudget(10);
    let inWork = 0;
    const seen: string[] = [];
    const job = (pixels: number) =>
      budget.use(pixels, async () => {
        inWork += pixels;
        seen.push(`${pixels} of ${inWork}`);
        await new Promise((resolve) => setTimeout(resolve, 2));
        inWork -= pixels;
      });
    await Promise.all([4, 6, 5, 25, 1].map(job));
    expect(seen).toEqual(['4 of 4', '6 of 10', '5 of 5', '25 of 25', '1 of 1']);
  });

  it('goes on after a job that fails', async () => {
    const budget = new PixelBudget(1);
    await expect(budget.use(1, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await budget.use(1, () => Promise.resolve('next'))).toBe('next');
  });
});
