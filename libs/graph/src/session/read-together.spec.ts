import * as tf from '@tensorflow/tfjs-core';
import { onEngines } from '@pyramidal/testing';
import { compile } from '../compile';
import { DT_FLOAT, DT_INT32, type GraphNode } from '../record/graph-def';
import type { RecordedVariable } from '../record/record';
import { readTogether } from './read-together';
import { operationOf, traceSteps } from './trace';

const variable = (node: string, others: Partial<RecordedVariable> = {}): RecordedVariable => ({
  ...{ name: node, node, shape: [2], dtype: DT_FLOAT, assigned: false },
  ...others,
});

const node = (name: string, op: string, inputs: string[]): GraphNode => ({ name, op, inputs, attrs: {} });

const nodes = [
  ...['a', 'b'].flatMap((name) => [
    node(`${name}/handle`, 'VarHandleOp', []),
    node(`${name}/read`, 'ReadVariableOp', [`${name}/handle:0`]),
  ]),
  node('sum', 'Add', ['a/read:0', 'b/read:0']),
  node('done', 'NoOp', ['^b/read', '^sum']),
];

describe('readTogether', () => {
  it('reads all variables by one operation', () => {
    const { nodes: left, refOf } = readTogether(nodes, [variable('a'), variable('b', { shape: [] })]);
    expect(left).toEqual([
      {
        ...node('variables/read', 'PyramidalReadVariables', []),
        attrs: { names: { strings: ['a', 'b'] }, shapes: { shapes: [[2], []] }, count: { int: 2 } },
      },
      node('sum', 'Add', ['variables/read:0', 'variables/read:1']),
      node('done', 'NoOp', ['^variables/read', '^sum']),
    ]);
    expect(refOf('b/read:0')).toBe('variables/read:1');
    expect(refOf('sum:0')).toBe('sum:0');
  });

  it('leaves steps that change a variable, and variables of other types', () => {
    for (const other of [variable('b', { assigned: true }), variable('b', { dtype: DT_INT32 })]) {
      const left = readTogether(nodes, [variable('a'), other]);
      expect(left.nodes).toBe(nodes);
      expect(left.refOf('b/read:0')).toBe('b/read:0');
    }
  });
});

onEngines(
  'a step that only reads variables',
  () => {
    it('has their values of now, and gives one as it is', () => {
      const [a, b] = [tf.variable(tf.tensor1d([1, 2])), tf.variable(tf.scalar(3))];
      const read = compile(({ x }: { x: tf.Tensor }) => ({ y: tf.add(tf.mul(x, a), b), b }));
      const change = compile(({ x }: { x: tf.Tensor }) => {
        a.assign(tf.add(a, x) as tf.Tensor1D);
        return {};
      });
      const x = tf.tensor1d([10, 20]);
      const expectValues = (y: number[], ofB: number): void => {
        const outputs = read({ x });
        expect([...outputs.y.dataSync()]).toEqual(y);
        expect([...outputs.b.dataSync()]).toEqual([ofB]);
        tf.dispose({ ...outputs });
      };
      expectValues([13, 43], 3);
      tf.tidy(() => b.assign(tf.scalar(4)));
      expectValues([14, 44], 4);
      change({ x });
      expectValues([114, 444], 4);
      const operations = traceSteps(() => tf.dispose({ ...read({ x }) })).map(operationOf);
      expect(operations).toContain('PyramidalReadVariables');
      expect(operations).not.toContain('ReadVariableOp');
      read.dispose();
      change.dispose();
      tf.dispose([a, b, x]);
    });
  },
  ['tensorflow'],
);
