import * as tf from '@tensorflow/tfjs-core';
import { engineBackend, type EngineBackend } from '@pyramidal/kernels/engine';
import { expectNoLeaks, onEngines } from '@pyramidal/testing';
import { DT_FLOAT, encodeGraph, type GraphNode } from '../record/graph-def';
import { GraphSession } from './graph-session';

const float = { type: DT_FLOAT };
const placeholder: GraphNode = {
  name: 'x',
  op: 'Placeholder',
  inputs: [],
  attrs: { dtype: float, shape: { shape: [2] } },
};
const double: GraphNode = { name: 'y', op: 'AddV2', inputs: ['x:0', 'x:0'], attrs: { T: float } };
const variable: GraphNode[] = [
  {
    name: 'w/handle',
    op: 'VarHandleOp',
    inputs: [],
    attrs: { dtype: float, shape: { shape: [2] }, shared_name: { string: 'w' }, container: { string: '' } },
  },
  { name: 'w/read', op: 'ReadVariableOp', inputs: ['w/handle:0'], attrs: { dtype: float } },
  { name: 'w/set', op: 'AssignVariableOp', inputs: ['w/handle:0', 'x:0'], attrs: { dtype: float } },
];
const y = { ref: 'y:0', dtype: DT_FLOAT, shape: [2] };
const w = { ref: 'w/read:0', dtype: DT_FLOAT, shape: [2] };

onEngines(
  'a session',
  () => {
    const open = (...nodes: GraphNode[]): GraphSession =>
      new GraphSession(engineBackend() as EngineBackend, encodeGraph(nodes));

    it('runs a graph on values and on tensors of the engine', async () => {
      await expectNoLeaks(() => {
        const session = open(placeholder, double);
        const run = session.prepare({ feeds: ['x:0'], fetches: [y] });
        tf.tidy(() => {
          const x = tf.tensor1d([1, 2]);
          const ofEngine = tf.add(x, 1);
          expect(Array.from(session.run(run, [x]).outputs[0]!.dataSync())).toEqual([2, 4]);
          expect(Array.from(session.run(run, [ofEngine]).outputs[0]!.dataSync())).toEqual([4, 6]);
        });
        session.close();
      });
    });

    it('shares large tensors with the engine', () => {
      const size = 1000;
      const attrs = { dtype: float, shape: { shape: [size] } };
      const session = open({ ...placeholder, attrs }, double);
      const run = session.prepare({ feeds: ['x:0'], fetches: [{ ...y, shape: [size] }] });
      tf.tidy(() => {
        const [output] = session.run(run, [tf.range(0, size)]).outputs;
        expect(output!.dataSync()[size - 1]).toBe(2 * (size - 1));
      });
      session.close();
    });

    it('keeps its variables and gives them by name', () => {
      const session = open(placeholder, ...variable);
      const set = session.prepare({ feeds: ['x:0'], targets: ['w/set'] });
      const read = session.prepare({ fetches: [w] });
      tf.tidy(() => {
        session.run(set, [tf.tensor1d([3, 4])]);
        expect(Array.from(session.run(read, []).outputs[0]!.dataSync())).toEqual([3, 4]);
      });
      session.close();
    });

    it('tells when each operation of a traced run ran', () => {
      const session = open(placeholder, double);
      const run = session.prepare({ feeds: ['x:0'], fetches: [y], traced: true });
      tf.tidy(() => {
        const { trace } = session.run(run, [tf.tensor1d([1, 2])]);
        const add = trace?.find(({ node }) => node === 'y');
        expect(add?.label).toMatch(/AddV2/);
        expect(add?.duration).toBeGreaterThanOrEqual(0);
      });
      session.close();
    });

    it('names what is wrong in one line, and goes on', () => {
      const session = open(placeholder, double, ...variable);
      const run = session.prepare({ feeds: ['x:0'], fetches: [y] });
      tf.tidy(() => {
        const wrong = (values: tf.Tensor[]) => () => session.run(run, values);
        const large = tf.fill([2000], 1);
        expect(wrong([tf.tensor1d([1, 2, 3])])).toThrow(/^x: expected 8 bytes, received 12$/);
        expect(wrong([tf.add(large, 1)])).toThrow(/^x: expected float\[2\], received float\[2000\]$/);
        expect(wrong([tf.add(tf.fill([2], 1, 'int32'), tf.scalar(1, 'int32'))])).toThrow(
          /^x: expected float\[2\], received/,
        );
        expect(wrong([])).toThrow(/^expected 1 tensors, received 0$/);
        expect(() => session.prepare({ fetches: [{ ...y, ref: 'z:0' }] })).toThrow(/^[^\n]*z[^\n]*$/);
        expect(() => session.prepare({ feeds: ['y:0'] })).toThrow("the graph has no placeholder 'y:0'");
        const read = session.prepare({ fetches: [w] });
        expect(() => session.run(read, [])).toThrow(/^[^\n]*variable w\b[^\n]*$/);
        expect(() => session.run({ number: 9, fetches: [] }, [])).toThrow('the session has no run 9');
        expect(Array.from(session.run(run, [tf.tensor1d([1, 2])]).outputs[0]!.dataSync())).toEqual([2, 4]);
      });
      session.close();
      expect(() => session.prepare({ fetches: [y] })).toThrow('the session is closed');
      expect(() => session.close()).not.toThrow();
    });

    it('refuses a graph with an operation that TensorFlow does not know', () => {
      const unknown = { ...double, op: 'Nonsense' };
      expect(() => open(placeholder, unknown)).toThrow(/^[^\n]*'Nonsense'[^\n]*$/);
    });

    it('refuses what is no graph and no options', () => {
      const { sessions } = (engineBackend() as EngineBackend).binding;
      const open = (config: number[], graph: number[]) => () =>
        new sessions!.Session({
          config: Uint8Array.from(config),
          graph: Uint8Array.from(graph),
          target: '',
          threads: 1,
        });
      expect(open([], [1, 2, 3])).toThrow('the graph is no GraphDef');
      expect(open([1, 2, 3], [])).toThrow("the session's options are no ConfigProto");
    });
  },
  ['tensorflow'],
);
