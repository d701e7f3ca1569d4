import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { largestBatch } from './batch-size';
import { freeMemory, peakWhile } from './process-memory';

const MB = 2 ** 20;

describe('the largest batch', () => {
  const measured = { held: 200 * MB, free: 1000 * MB, peaks: [400 * MB, 450 * MB] as const, states: 0, images: 500 };

  it('is the largest power of two that four fifths of the free memory hold', () => {
    // 200 MB besides, 50 an image more: 800 MB hold 13 images.
    expect(largestBatch(measured)).toEqual({ size: 8, each: 50 * MB });
    expect(largestBatch({ ...measured, free: 1200 * MB }).size).toBe(16);
    expect(largestBatch({ ...measured, states: 500 * MB }).size).toBe(2);
  });

  it('is no larger than the training set, nor than 64, and at least 1', () => {
    expect(largestBatch({ ...measured, images: 5 }).size).toBe(4);
    expect(largestBatch({ ...measured, free: 1e6 * MB }).size).toBe(64);
    expect(largestBatch({ ...measured, free: 1 }).size).toBe(1);
    // Nothing measurable a step: memory sets no bound.
    expect(largestBatch({ ...measured, peaks: [400 * MB, 399 * MB] }).size).toBe(64);
  });
});

describe('memory', () => {
  it('of a control group bounds that of the machine, without the files that it caches', () => {
    const group = mkdtempSync(join(tmpdir(), 'group-'));
    mkdirSync(group, { recursive: true });
    const write = (max: string): void => {
      writeFileSync(join(group, 'memory.max'), `${max}\n`);
      writeFileSync(join(group, 'memory.current'), `${90 * MB}\n`);
      writeFileSync(join(group, 'memory.stat'), `anon 1\ninactive_file ${20 * MB}\nactive_file 7\n`);
    };
    write(`${100 * MB}`);
    expect(freeMemory(group)).toBe(30 * MB);
    write('max');
    expect(freeMemory(group) / freemem()).toBeCloseTo(1, 0);
    rmSync(group, { recursive: true });
  });

  it('is measured at its peak', async () => {
    const peak = (megabytes: number) =>
      peakWhile(async () => {
        Buffer.alloc(megabytes * MB, 1);
      });
    const small = await peak(1);
    expect((await peak(200)) - small).toBeGreaterThan(150 * MB);
  });
});
