/** The order of tensor elements here and in PyTorch, both ways. */
import { fromTorchOrder, toTorchOrder, toTorchShape, type Layout } from './layout';

describe('layouts', () => {
  it.each<[Layout, number[], number[]]>([
    ['plain', [5], [5]],
    ['linear', [3, 7], [7, 3]],
    ['conv1d', [3, 4, 5], [5, 4, 3]],
    ['conv', [3, 5, 2, 8], [8, 2, 3, 5]],
    ['depthwise', [3, 5, 8, 1], [8, 1, 3, 5]],
    ['convTranspose', [2, 3, 5, 8], [8, 5, 2, 3]],
    ['grouped', [16, 8, 4], [128, 4, 1, 1]],
  ])('%s: ours %j is PyTorch %j', (layout, ours, torch) => {
    expect(toTorchShape(ours, layout)).toEqual(torch);
  });

  it('transposes a linear weight', () => {
    const torch = Float32Array.of(1, 2, 3, 4, 5, 6); // [out 2, in 3]
    expect([...fromTorchOrder(torch, [2, 3], 'linear')]).toEqual([1, 4, 2, 5, 3, 6]);
  });

  it('puts a convolution filter [out 2, in 1, 1, 3] into [1, 3, in 1, out 2]', () => {
    const torch = Float32Array.of(1, 2, 3, 10, 20, 30);
    expect([...fromTorchOrder(torch, [2, 1, 1, 3], 'conv')]).toEqual([1, 10, 2, 20, 3, 30]);
  });

  it.each<[Layout, number[]]>([
    ['linear', [3, 7]],
    ['conv1d', [3, 4, 5]],
    ['conv', [3, 5, 2, 8]],
    ['depthwise', [3, 5, 8, 1]],
    ['convTranspose', [2, 3, 5, 8]],
  ])('%s: there and back gives the same values', (layout, shape) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const values = Float32Array.from({ length: size }, (_, i) => i);
    const torch = toTorchOrder(values, shape, layout);
    expect([...fromTorchOrder(torch, toTorchShape(shape, layout), layout)]).toEqual([...values]);
  });

  it('keeps an empty tensor empty', () => {
    expect(fromTorchOrder(new Float32Array(0), [0, 3], 'linear')).toHaveLength(0);
  });
});
