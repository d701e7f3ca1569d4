import * as tf from '@tensorflow/tfjs-core';
import { onEngines, wavesTensor } from '@pyramidal/testing';
import { compile } from '../compile';
import { timeByOperation, timelineJson, traceSteps, type TraceEntry } from './trace';

const entry = (label: string, start: number, duration: number): TraceEntry => ({
  device: '/device:CPU:0',
  node: 'step/x',
  label,
  thread: 7,
  start,
  duration,
});

describe('a trace', () => {
  const entries = [
    entry('[CPU] step/a = MatMul(x, y)', 1000, 300),
    entry('[CPU] step/b = Add(x, y)', 1300, 900),
    entry('[CPU] step/c = MatMul(x, y)', 2200, 700),
    entry('', 2900, 50),
  ];

  it('is summed by kinds of operations', () =>
    expect(timeByOperation(entries)).toEqual([
      { operation: 'MatMul', count: 2, ms: 1 },
      { operation: 'Add', count: 1, ms: 0.9 },
      { operation: 'step/x', count: 1, ms: 0.05 },
    ]));

  it('is written as trace viewers read it', () => {
    const { traceEvents } = JSON.parse(timelineJson(entries)) as { traceEvents: object[] };
    expect(traceEvents).toHaveLength(5);
    expect(traceEvents[0]).toEqual({ name: 'process_name', ph: 'M', pid: 0, args: { name: '/device:CPU:0' } });
    expect(traceEvents[2]).toMatchObject({ name: 'Add', ph: 'X', ts: 300, dur: 900, pid: 0, tid: 7 });
  });
});

onEngines(
  'traced steps',
  () => {
    it('give the same numbers, and tell what ran', () => {
      const x = wavesTensor<tf.Rank.R2>([8, 8]);
      const square = compile((inputs: { x: tf.Tensor2D }) => ({ y: tf.matMul(inputs.x, inputs.x) }));
      tf.tidy(() => {
        const expected = Array.from(square({ x }).y.dataSync());
        let traced: number[] = [];
        const entries = traceSteps(() => (traced = Array.from(square({ x }).y.dataSync())));
        expect(traced).toEqual(expected);
        expect(
          timeByOperation(entries)
            .map(({ operation }) => operation)
            .join(),
        ).toMatch(/MatMul/);
        expect(traceSteps(() => undefined)).toEqual([]);
      });
      square.dispose();
      x.dispose();
    });
  },
  ['tensorflow'],
);
