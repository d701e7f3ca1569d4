import * as tf from '@tensorflow/tfjs-core';
import { inScope } from '@pyramidal/kernels';
import { onEngines, wavesTensor } from '@pyramidal/testing';
import { compile } from '../compile';
import { operationOf, scopeOf, timeBy, timelineJson, traceSteps, type TraceEntry } from './trace';

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
    expect(timeBy(entries, operationOf)).toEqual([
      { group: 'MatMul', count: 2, ms: 1 },
      { group: 'Add', count: 1, ms: 0.9 },
      { group: 'step/x', count: 1, ms: 0.05 },
    ]));

  it.each([
    ['step/Add_0', ''],
    ['variable/3/read', ''],
    ['step/forward/stages.0.norm/Mul_2', 'forward/stages.0.norm'],
    ['step/optimizer/variable/3/update_0', 'optimizer/variable/3'],
    ['ArithmeticOptimizer/Fold_step/backward/head/Mul_7', 'backward/head'],
    ['step/loss/Sum_1-0-TransposeNHWCToNCHW-LayoutOptimizer', 'loss'],
  ])('finds the scope of %s', (node, scope) => expect(scopeOf({ ...entry('', 0, 0), node })).toBe(scope));

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
      const square = compile((inputs: { x: tf.Tensor2D }) =>
        inScope('forward/square', () => ({ y: tf.matMul(inputs.x, inputs.x) })),
      );
      tf.tidy(() => {
        const expected = Array.from(square({ x }).y.dataSync());
        let traced: number[] = [];
        const entries = traceSteps(() => (traced = Array.from(square({ x }).y.dataSync())));
        expect(traced).toEqual(expected);
        const product = entries.find((ran) => /MatMul/.test(operationOf(ran)));
        expect(product && scopeOf(product)).toBe('forward/square');
        // By oneDNN, which TensorFlow takes by itself only on some processors of this kind.
        expect(product && operationOf(product)).toMatch(process.arch === 'x64' ? /^_Mkl/ : /^MatMul/);
        expect(traceSteps(() => undefined)).toEqual([]);
      });
      square.dispose();
      x.dispose();
    });
  },
  ['tensorflow'],
);
