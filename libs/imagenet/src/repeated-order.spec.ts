import { repeatedOrder } from './repeated-order';

const items = Array.from({ length: 20 }, (_, i) => i);

describe('repeatedOrder', () => {
  it('shows each image so often in a row, in an epoch as long', () => {
    const order = repeatedOrder(items, { seed: 5, repeats: 3 })(0);
    expect(order).toHaveLength(items.length);
    const groups = Array.from({ length: 7 }, (_, i) => order.slice(3 * i, 3 * i + 3));
    for (const group of groups) expect(new Set(group).size).toBe(1);
    expect(new Set(order).size).toBe(7);
  });

  it('shows other images in the next epoch, and the same after resuming', () => {
    const orderOf = repeatedOrder(items, { seed: 5, repeats: 3 });
    expect(orderOf(1)).not.toEqual(orderOf(0));
    expect(repeatedOrder(items, { seed: 5, repeats: 3 })(1)).toEqual(orderOf(1));
    expect(repeatedOrder(items, { seed: 6, repeats: 3 })(1)).not.toEqual(orderOf(1));
  });

  it('shows all images alike over many epochs', () => {
    const orderOf = repeatedOrder(items, { seed: 1, repeats: 3 });
    const seen = new Map(items.map((item) => [item, 0]));
    const epochs = 600;
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const item of orderOf(epoch)) seen.set(item, seen.get(item)! + 1);
    }
    expect([...seen.values()].reduce((sum, count) => sum + count)).toBe(epochs * items.length);
    for (const count of seen.values()) expect(Math.abs(count / epochs - 1)).toBeLessThan(0.25);
  });

  it('is a plain shuffle with one repetition', () => {
    expect(repeatedOrder(items, { seed: 2, repeats: 1 })(0).sort((a, b) => a - b)).toEqual(items);
  });
});
