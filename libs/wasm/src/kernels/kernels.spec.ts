/** Every kernel of this package against the cpu backend and against finite differences. */
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { checkGradients, expectClose, expectNoLeaks } from '@pyramidal/testing';
import { openWasm } from '../open-wasm';

type Pad = Parameters<typeof tf.conv2d>[3];

beforeAll(async () => {
  await openWasm({ threads: 2 });
});

afterEach(() => tf.setBackend('wasm'));

/** Numbers between -1 and 1 in no visible order. */
function numbers(shape: number[], start = 0): tf.Tensor {
  const size = tf.util.sizeFromShape(shape);
  const values = Float32Array.from({ length: size }, (_, i) => Math.sin(12.9898 * (i + start) + 78.233) % 1);
  return tf.tensor(values, shape);
}

/** Value and gradients of `f` for inputs of these shapes, on one backend. */
async function evaluate(backend: string, shapes: number[][], f: (...x: tf.Tensor[]) => tf.Tensor) {
  await tf.setBackend(backend);
  const inputs = shapes.map((shape, k) => numbers(shape, 1000 * k));
  const weighted = (...x: tf.Tensor[]) => {
    const y = f(...x);
    return tf.sum(tf.mul(y, numbers(y.shape, 7)));
  };
  const results = [f(...inputs), ...tf.grads(weighted)(inputs)];
  const read = await Promise.all(results.map(async (y) => ({ shape: y.shape, values: await y.data() })));
  tf.dispose([inputs, results]);
  return read;
}

async function expectAsOnCpu(shapes: number[][], f: (...x: tf.Tensor[]) => tf.Tensor): Promise<void> {
  const expected = await evaluate('cpu', shapes, f);
  const actual = await evaluate('wasm', shapes, f);
  actual.forEach(({ shape, values }, k) => {
    const what = k === 0 ? 'value' : `gradient of input ${k - 1}`;
    expect(shape).toEqual(expected[k]!.shape);
    const scale = Math.max(...expected[k]!.values.map(Math.abs));
    expectClose(values, expected[k]!.values, { rtol: 1e-5, atol: 1e-5 * scale }, what);
  });
}

const ASYMMETRIC: Pad = [
  [0, 0],
  [1, 0],
  [0, 2],
  [0, 0],
];

const CONVOLUTIONS: { x: number[]; filter: number[]; stride: number | [number, number]; pad: Pad }[] = [
  { x: [2, 7, 9, 3], filter: [3, 3, 3, 5], stride: 1, pad: 'same' },
  { x: [2, 7, 9, 3], filter: [3, 3, 3, 5], stride: 2, pad: 'same' },
  { x: [2, 8, 6, 3], filter: [3, 3, 3, 5], stride: 2, pad: 'valid' },
  { x: [1, 11, 9, 2], filter: [7, 7, 2, 3], stride: 2, pad: 3 },
  { x: [2, 8, 8, 4], filter: [2, 2, 4, 3], stride: 2, pad: 'valid' },
  { x: [2, 7, 5, 3], filter: [1, 1, 3, 4], stride: 1, pad: 'valid' },
  { x: [2, 7, 5, 3], filter: [1, 1, 3, 4], stride: 2, pad: 'same' },
  { x: [3, 6, 5, 4], filter: [3, 1, 4, 3], stride: 3, pad: 'same' },
  { x: [2, 7, 6, 3], filter: [2, 3, 3, 2], stride: [2, 1], pad: ASYMMETRIC },
  { x: [1, 9, 9, 1], filter: [5, 5, 1, 2], stride: 3, pad: 1 },
];

describe('convolution', () => {
  it.each(CONVOLUTIONS)(
    'equals the cpu backend: $filter on $x, stride $stride, pad $pad',
    ({ x, filter, stride, pad }) =>
      expectAsOnCpu([x, filter], (input, taps) => tf.conv2d(input as tf.Tensor4D, taps as tf.Tensor4D, stride, pad)),
  );

  it.each(CONVOLUTIONS)('has the gradient of differences: $filter on $x, stride $stride, pad $pad', (c) =>
    checkGradients(
      (x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, c.stride, c.pad),
      [numbers(c.x), numbers(c.filter, 1000)],
    ),
  );

  it('pads by a number on all sides also where the filter is not square', () => {
    const x = numbers([1, 6, 5, 2]) as tf.Tensor4D;
    const filter = numbers([3, 1, 2, 3]) as tf.Tensor4D;
    const y = tf.conv2d(x, filter, 1, 1);
    expect(y.shape).toEqual([1, 6, 7, 3]);
    const explicit: Pad = [[0, 0], [1, 1], [1, 1], [0, 0]]; // prettier-ignore
    expectClose(y.dataSync(), tf.conv2d(x, filter, 1, explicit).dataSync(), {});
  });

  it('names sizes when the filter does not fit', () => {
    expect(() =>
      tf.conv2d(numbers([1, 4, 4, 1]) as tf.Tensor4D, numbers([5, 5, 1, 1]) as tf.Tensor4D, 1, 'valid'),
    ).toThrow('wasm: a filter that reaches over 5 pixels does not fit 4 + 0 + 0');
  });
});

const DEPTHWISE: { x: number[]; filter: number[]; stride: number; pad: Pad }[] = [
  { x: [2, 7, 9, 5], filter: [3, 3, 5, 1], stride: 1, pad: 'same' },
  { x: [2, 7, 9, 5], filter: [3, 3, 5, 1], stride: 2, pad: 'same' },
  { x: [2, 7, 9, 5], filter: [3, 3, 5, 1], stride: 2, pad: 1 },
  { x: [2, 8, 7, 3], filter: [5, 5, 3, 1], stride: 1, pad: 'valid' },
  { x: [1, 9, 8, 4], filter: [7, 7, 4, 1], stride: 1, pad: 'same' },
  { x: [2, 9, 8, 4], filter: [7, 7, 4, 1], stride: 2, pad: ASYMMETRIC },
  { x: [2, 6, 7, 2], filter: [2, 3, 2, 3], stride: 1, pad: 'same' },
  { x: [1, 7, 13, 3], filter: [1, 11, 3, 1], stride: 1, pad: 'same' },
  { x: [2, 5, 5, 3], filter: [1, 1, 3, 2], stride: 1, pad: 'valid' },
  { x: [2, 11, 14, 24], filter: [5, 5, 24, 1], stride: 1, pad: 'same' },
  { x: [1, 6, 19, 36], filter: [9, 9, 36, 1], stride: 1, pad: 'same' },
  { x: [1, 13, 17, 12], filter: [3, 3, 12, 1], stride: 2, pad: 'same' },
  { x: [1, 3, 2, 20], filter: [7, 7, 20, 1], stride: 1, pad: 'same' },
  { x: [1, 4, 4, 18], filter: [2, 2, 18, 1], stride: 3, pad: ASYMMETRIC },
];

describe('depthwise convolution', () => {
  it.each(DEPTHWISE)('equals the cpu backend: $filter on $x, stride $stride, pad $pad', ({ x, filter, stride, pad }) =>
    expectAsOnCpu([x, filter], (input, taps) =>
      tf.depthwiseConv2d(input as tf.Tensor4D, taps as tf.Tensor4D, stride, pad as 'same'),
    ),
  );

  it.each(DEPTHWISE)('has the gradient of differences: $filter on $x, stride $stride, pad $pad', (c) =>
    checkGradients(
      (x, filter) => tf.depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D, c.stride, c.pad as 'same'),
      [numbers(c.x), numbers(c.filter, 1000)],
    ),
  );
});

describe('matrix product', () => {
  const SHAPES: [number[], number[]][] = [
    [
      [9, 33],
      [33, 21],
    ],
    [
      [3, 17, 20],
      [3, 20, 19],
    ],
    [
      [2, 3, 17, 20],
      [2, 3, 20, 19],
    ],
    [
      [2, 3, 4],
      [2, 4, 5],
    ],
  ];
  const flip = (shape: number[], isTransposed: boolean) =>
    isTransposed ? [...shape.slice(0, -2), shape[shape.length - 1]!, shape[shape.length - 2]!] : shape;

  for (const transposeA of [false, true]) {
    for (const transposeB of [false, true]) {
      it.each(SHAPES)(`equals the cpu backend: %j x %j, transposed ${transposeA} ${transposeB}`, (a, b) =>
        expectAsOnCpu([flip(a, transposeA), flip(b, transposeB)], (x, y) => tf.matMul(x, y, transposeA, transposeB)),
      );
    }
  }

  it.each([
    [17, 20, 19],
    [2, 3, 2],
  ])('repeats operands over missing and single batch axes: %d x %d x %d', (m, k, n) => {
    const [a, b] = [numbers([2, 1, m, k]), numbers([3, k, n], 5)];
    const expected = tf.matMul(tf.tile(a, [1, 3, 1, 1]), tf.stack([b, b]));
    const product = tf.matMul(a, b);
    expect(product.shape).toEqual([2, 3, m, n]);
    expectClose(product.dataSync(), expected.dataSync(), {});
  });

  it('is zero where nothing is added up, and empty without rows', () => {
    expect([...tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 2])).dataSync()]).toEqual([0, 0, 0, 0]);
    expect(tf.matMul(tf.zeros([0, 3]), tf.zeros([3, 2])).shape).toEqual([0, 2]);
  });

  it('multiplies whole numbers', () => {
    const product = tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32'), tf.tensor2d([5, 6, 7, 8], [2, 2], 'int32'));
    expect(product.dtype).toBe('int32');
    expect([...product.dataSync()]).toEqual([19, 22, 43, 50]);
  });
});

describe('sums', () => {
  it.each([[[0, 1, 2]], [[1, 2]], [[0]], [[3]], [[0, 2]], [[1, 3]], [[0, 1, 2, 3]]])(
    'equal the cpu backend: axes %j',
    (axes) => expectAsOnCpu([[2, 3, 4, 5]], (x) => tf.add(tf.sum(x, axes), tf.mean(x, axes))),
  );

  it.each([[[3_000_001], [0]] as const, [[700_001, 3], [0]] as const])('lose no digits over %j', (shape, axes) => {
    const total = tf.sum(tf.fill([...shape], 0.1), [...axes]);
    expectClose(total.dataSync(), new Float32Array(total.size).fill(shape[0] * 0.1), { rtol: 1e-5 });
  });

  it('are neutral over no elements', () => {
    const none = tf.zeros([0, 2]);
    expect([...tf.sum(none, 0).dataSync()]).toEqual([0, 0]);
    expect([...tf.prod(none, 0).dataSync()]).toEqual([1, 1]);
    expect([...tf.all(tf.cast(none, 'bool'), 0).dataSync()]).toEqual([1, 1]);
    expect([...tf.any(tf.cast(none, 'bool'), 0).dataSync()]).toEqual([0, 0]);
    expect(tf.sum(none).dataSync()[0]).toBe(0);
  });
});

describe('pooling and resizing', () => {
  it.each([
    [2, 2, 'valid'],
    [3, 2, 'same'],
    [3, 1, 'same'],
    [3, 2, 1],
    [1, 2, 'valid'],
  ] as const)('sends the gradient to the largest input: window %j, stride %j, pad %j', (size, stride, pad) =>
    expectAsOnCpu([[2, 7, 8, 3]], (x) => tf.maxPool(x as tf.Tensor4D, size, stride, pad)),
  );

  it.each([
    [14, 16],
    [10, 5],
    [3, 4],
  ])('has the gradient of differences: to %d x %d', async (height, width) => {
    const x = numbers([2, 7, 8, 3]);
    for (const alignCorners of [false, true]) {
      await checkGradients((y) => tf.image.resizeNearestNeighbor(y as tf.Tensor4D, [height, width], alignCorners), [x]);
      await checkGradients((y) => tf.image.resizeBilinear(y as tf.Tensor4D, [height, width], alignCorners), [x]);
    }
  });
});

describe('indexing and casting', () => {
  it('adds up what was gathered more than once', async () => {
    const rows = tf.tensor1d([1, 1, 5, 0], 'int32');
    const gradient = tf.grad((x: tf.Tensor) => tf.gather(x, rows))(numbers([7, 2]), tf.ones([4, 2]));
    expect([...(await gradient.data())]).toEqual([1, 1, 2, 2, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0]);
  });

  it('leaves out rows whose segment is not there', () => {
    const sums = tf.unsortedSegmentSum(tf.tensor1d([1, 2, 4, 8]), tf.tensor1d([0, -1, 2, 0], 'int32'), 3);
    expect([...sums.dataSync()]).toEqual([9, 0, 4]);
  });

  it.each([
    [
      [0, 1, 2, 0],
      [2, 2, 3, 40],
    ],
    [
      [1, 0, 0, 0],
      [1, 4, 5, 40],
    ],
    [
      [0, 0, 0, 7],
      [2, 4, 5, 33],
    ],
  ])('slices from %j the size %j', (begin, size) => expectAsOnCpu([[2, 4, 5, 40]], (x) => tf.slice(x, begin, size)));

  it.each([
    [[1, 3, 1], 1],
    [[2, 3], -1],
    [[2, 3], 2],
  ] as const)('splits into %j along %d', (sizes, axis) =>
    expectAsOnCpu([[2, 5, 5]], (x) => {
      const parts = tf.split(x, [...sizes], axis);
      return tf.concat(parts.reverse(), axis);
    }),
  );

  it.each([[[2, 3, 1]], [[1, 4, 2]], [[3, 1, 5]]])('repeats %j times', (reps) =>
    expectAsOnCpu([[2, 1, 3]], (x) => tf.tile(x, reps)),
  );

  it.each([
    [[2, 4, 30], [3, 0, 0], 1],
    [[2, 4, 30], [29, 1], -1],
    [[5], [4, 4, 0], 0],
    [[2, 3, 4], [1, 0], 0],
    [[2, 3, 4], [], 1],
  ] as const)('gathers from %j the places %j along %d', (shape, places, axis) =>
    expectAsOnCpu([[...shape]], (x) => tf.gather(x, tf.tensor1d([...places], 'int32'), axis)),
  );

  it('gathers other places of each batch', () =>
    expectAsOnCpu([[2, 3, 4]], (x) => tf.gather(x, tf.tensor2d([2, 0, 1, 1], [2, 2], 'int32'), 1, 1)));

  it('gathers whole numbers, and refuses a place that is not there', () => {
    expect([...tf.gather(tf.tensor1d([7, 8, 9], 'int32'), [2, 0]).dataSync()]).toEqual([9, 7]);
    expect(() => tf.gather(tf.tensor1d([7, 8, 9]), [3])).toThrow('the index value 3 is not in [0, 2]');
  });

  it('sums up along an axis counted from the end', () => {
    expect([...tf.cumsum(tf.tensor2d([1, 2, 3, 4], [2, 2]), -1).dataSync()]).toEqual([1, 3, 3, 7]);
  });

  it('makes every number but zero true', () => {
    expect([...tf.cast(tf.tensor1d([0, 0.5, -3, 256]), 'bool').dataSync()]).toEqual([0, 1, 1, 1]);
  });

  it('clips whole numbers', () => {
    expect([...tf.clipByValue(tf.tensor1d([7, -7, 3], 'int32'), -1, 4).dataSync()]).toEqual([4, -1, 3]);
  });
});

describe('every kernel', () => {
  it('leaves the tensor count unchanged', () => {
    const step = () => {
      const x = numbers([2, 8, 8, 4]);
      const loss = (input: tf.Tensor, filter: tf.Tensor, taps: tf.Tensor) => {
        const y = tf.depthwiseConv2d(
          tf.conv2d(input as tf.Tensor4D, filter as tf.Tensor4D, 2, 1),
          taps as tf.Tensor4D,
          1,
          'same',
        );
        const flat = tf.reshape(y, [2, 16, 6]);
        return tf.sum(tf.softmax(tf.matMul(flat, flat, false, true)));
      };
      return tf.grads(loss)([x, numbers([3, 3, 4, 6]), numbers([7, 7, 6, 1])]);
    };
    return expectNoLeaks(() => tf.dispose(tf.tidy(step)));
  });
});
