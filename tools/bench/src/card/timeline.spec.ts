import type { TraceEntry } from '@pyramidal/graph';
import { timelineOf } from './timeline';

const CARD = '/device:GPU:0';
const entry = (device: string, node: string, label: string, start: number, duration: number): TraceEntry => ({
  device,
  node,
  label,
  thread: 1,
  start,
  duration,
});

/** What starts them, as TensorFlow tells it: `node = Operation(inputs)`. */
const STARTED = [
  entry('/job:localhost/replica:0/task:0/device:GPU:0', 'a', 'a = MatMul(x, y)', 0, 40),
  entry('/job:localhost/replica:0/task:0/device:GPU:0', 'b', 'b = Mul(a, z)', 40, 10),
  entry('/job:localhost/replica:0/task:0/device:CPU:0', 'c', 'c = Where(b)', 50, 5000),
];

describe('timelineOf', () => {
  it('tells how long a card computed and copied, and for which operations', () => {
    const entries = [
      ...STARTED,
      entry(`${CARD}/stream:13`, 'a', 'ampere_sgemm regs:1', 1000, 3000),
      entry(`${CARD}/stream:all`, 'a', 'ampere_sgemm regs:1', 1000, 3000),
      entry(`${CARD}/stream:all`, 'b:Mul', 'Eigen::internal regs:1', 3000, 2000), // beside the other for a while
      entry(`${CARD}/stream:all`, 'void cub::Reduce<float>(int)', 'cub regs:1', 9000, 1000),
      entry(`${CARD}/memcpy`, 'x', 'MemcpyH2D', 0, 500),
    ];
    expect(timelineOf(entries)).toEqual({
      busyMs: 5,
      copyingMs: 0.5,
      kernels: 3,
      longest: [
        { group: 'MatMul', count: 1, ms: 3 },
        { group: 'Mul', count: 1, ms: 2 },
        { group: 'void cub::Reduce', count: 1, ms: 1 },
      ],
      onProcessor: [{ group: 'Where', count: 1, ms: 5 }],
    });
  });

  it('tells of a processor what its threads did', () => {
    const { busyMs, kernels, longest, onProcessor } = timelineOf(STARTED.slice(2));
    expect({ busyMs, kernels, longest, onProcessor }).toEqual({
      busyMs: 5,
      kernels: 1,
      longest: [{ group: 'Where', count: 1, ms: 5 }],
      onProcessor: [],
    });
  });
});
