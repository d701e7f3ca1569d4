/** Position embeddings resized as PyTorch's bicubic interpolation does. */
import { expectClose } from '@pyramidal/testing';
import type { StoredTensor } from './dtype';
import { isPositionTensor, resizePositions } from './resize-positions';

const tensor = (shape: number[], value: (index: number) => number): StoredTensor => {
  const size = shape.reduce((product, length) => product * length, 1);
  return { dtype: 'float32', shape, data: Float32Array.from({ length: size }, (_, index) => value(index)) };
};

/** [1, C, H, W] -> [1, H * W, C] */
function toTokens({ shape, data }: StoredTensor): StoredTensor {
  const [, channels, height, width] = shape as [number, number, number, number];
  const cells = height * width;
  return tensor([1, cells, channels], (index) =>
    Number(data[(index % channels) * cells + Math.floor(index / channels)]),
  );
}

describe('resizePositions', () => {
  // torch 2.15: interpolate(arange(12.).sin().reshape(1, 2, 2, 3), size=(5, 4), mode='bicubic', align_corners=False)
  const ENLARGED = [
    -0.0897216, 0.6346298, 1.1663616, 1.1222732, -0.038589, 0.4535644, 0.8036541, 0.7593825, 0.072586, 0.0598825,
    0.0150366, -0.0296331, 0.1837611, -0.3337998, -0.7735818, -0.8186495, 0.2348936, -0.514865, -1.1362889, -1.1815399,
    -0.437846, 0.3307112, 1.0662874, 1.2387788, -0.2787831, 0.2475789, 0.7408066, 0.8454482, 0.0670599, 0.0668284,
    0.0331292, -0.0097518, 0.4129031, -0.1139223, -0.6745488, -0.8649526, 0.571966, -0.1970545, -1.0000293, -1.258283,
  ];
  // torch 2.15: interpolate(arange(25.).cos().reshape(1, 1, 5, 5), size=(3, 3), mode='bicubic', align_corners=False)
  const REDUCED = [
    0.8450705, -0.0527951, -0.8302264, -0.6201608, 0.843854, 0.3829009, -0.1933872, -0.8339515, 0.427863,
  ];

  it('enlarges maps as PyTorch does', () => {
    const resized = resizePositions('pos_embed', tensor([1, 2, 2, 3], Math.sin), [1, 2, 5, 4]);
    expectClose(resized, ENLARGED, { atol: 1e-6 });
  });

  it('reduces maps as PyTorch does', () => {
    const source = tensor([1, 1, 5, 5], Math.cos);
    expectClose(resizePositions('pos_embed', source, [1, 1, 3, 3]), REDUCED, { atol: 1e-6 });
  });

  it('does the same to tokens, and keeps a class token', () => {
    const map = tensor([1, 2, 3, 3], Math.sin);
    const resizedMap = { ...map, shape: [1, 2, 4, 4], data: resizePositions('pos_embed', map, [1, 2, 4, 4]) };
    const tokens = toTokens(map);
    const withClass = tensor([1, 10, 2], (index) => (index < 2 ? 100 + index : Number(tokens.data[index - 2])));
    const resized = resizePositions('pos_embed', withClass, [1, 17, 2]);
    expect([...resized.subarray(0, 2)]).toEqual([100, 101]);
    expectClose(resized.subarray(2), toTokens(resizedMap).data as Float32Array, { atol: 1e-6 });
  });

  it('leaves the size it has', () => {
    const source = tensor([9, 4], Math.sin);
    expectClose(resizePositions('relative_position_bias_table', source, [9, 4]), source.data as Float32Array, {
      atol: 1e-7,
    });
  });

  it.each([
    ['other channels', [1, 4, 2], [1, 9, 3]],
    ['a class token on one side', [1, 4, 2], [1, 5, 2]],
    ['a grid that is not square', [1, 7, 2], [1, 9, 2]],
    ['other axes', [1, 4, 2], [1, 2, 3, 3]],
    ['a batch', [2, 4, 2], [2, 9, 2]],
  ])('refuses %s', (_, from, to) => {
    expect(() => resizePositions('pos_embed', tensor(from, Math.sin), to)).toThrow(
      `pos_embed cannot be resized from float32 [${from.join(', ')}] to [${to.join(', ')}]`,
    );
  });
});

describe('isPositionTensor', () => {
  it('knows the usual names', () => {
    expect(isPositionTensor('pos_embed')).toBe(true);
    expect(isPositionTensor('layers.0.blocks.1.attn.relative_position_bias_table')).toBe(true);
    expect(isPositionTensor('cpe1.proj.weight')).toBe(false);
  });
});
