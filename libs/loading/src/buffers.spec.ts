import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { echo, type Task } from '../fixtures/echo-worker';
import { openBatchSource } from './batch-source';
import { buffersOf, freeResults } from './buffers';

describe('buffersOf', () => {
  it('names each buffer that a typed array fills once', () => {
    const own = new Float32Array(4);
    const parts = new Uint8Array(8);
    const result = { own, again: new Uint8Array(own.buffer), part: parts.subarray(2), name: 'x', count: 3 };
    expect(buffersOf(result)).toEqual([own.buffer]);
    expect(buffersOf(own)).toEqual([own.buffer]);
    expect(buffersOf(undefined)).toEqual([]);
  });
});

describe('freeResults', () => {
  it('leaves the arrays empty, and parts of other memory as they are', () => {
    const [pixels, boxes, parts] = [new Uint8Array(100), new Float32Array(8), new Uint8Array(8)];
    freeResults([{ pixels, id: 1 }, boxes, { part: parts.subarray(2) }]);
    expect([pixels.length, boxes.length, parts.length]).toEqual([0, 0, 8]);
    freeResults([]);
  });

  it('holds no memory of what it was given', async () => {
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 50; i++) freeResults([new Uint8Array(1e7)]);
    await setTimeout(100); // the other end is closed by then
    for (let i = 0; i < 50; i++) freeResults([new Uint8Array(1e7)]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e8);
  });
});

it.each([
  [0, true, 4],
  [1, true, 0],
  [1, false, 4],
])('batches of %d threads (copied: %p) leave %d values in their samples', async (workers, collateCopies, values) => {
  const kept: Float32Array[] = [];
  const source = openBatchSource({
    items: [1, 2, 3, 4],
    prepare: { file: join(__dirname, '../fixtures/echo-worker.ts'), name: 'echo', run: echo },
    argumentsOf: (value): [Task] => [{ kind: 'double', value }],
    collate: ({ samples }) => {
      kept.push(...samples);
      return samples.map(([value]) => value);
    },
    collateCopies,
    batchSize: 2,
    seed: 0,
    shuffle: false,
    workers,
  });
  const batches: unknown[] = [];
  for await (const batch of source.batches()) batches.push(batch);
  await source.close();
  expect(batches).toEqual([
    [2, 4],
    [6, 8],
  ]);
  expect(kept.reduce((sum, { length }) => sum + length, 0)).toBe(values);
});
