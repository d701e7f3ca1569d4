import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { engineBackend, type EngineBackend, type RewrittenGraphsPlace } from '@pyramidal/kernels/engine';
import { expectNoLeaks, onEngines, wavesTensor } from '@pyramidal/testing';
import { smallBlock, smallStem, smallWeights } from '../../test-support/small-network';
import { compile } from '../compile';
import { RewrittenGraphs } from './rewritten-graphs';

const graph = (size: number, value = 1) => ({ graph: new Uint8Array(size).fill(value), fetches: ['a:0', 'b:1'] });

describe('graphs that are kept', () => {
  let folder: string;
  let place: RewrittenGraphsPlace;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rewritten-'));
    place = { folder: join(folder, 'graphs'), engine: 'TensorFlow 1' };
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are found again by what they were made of, and by nothing else', () => {
    const graphs = new RewrittenGraphs(place);
    const key = graphs.keyOf(['graph', Uint8Array.of(1, 2)]);
    expect(graphs.read(key)).toBeUndefined();
    graphs.keep(key, graph(1000));
    const found = new RewrittenGraphs(place).read(key)!;
    expect({ ...found, graph: new Uint8Array(found.graph) }).toEqual(graph(1000));
    const others = [
      graphs.keyOf(['graph', Uint8Array.of(1, 3)]),
      graphs.keyOf(['grap', Uint8Array.of(104, 1, 2)]),
      new RewrittenGraphs({ ...place, engine: 'TensorFlow 2' }).keyOf(['graph', Uint8Array.of(1, 2)]),
    ];
    expect(new Set([key, ...others]).size).toBe(4);
    for (const other of others) expect(graphs.read(other)).toBeUndefined();
    graphs.drop(key);
    expect(graphs.read(key)).toBeUndefined();
  });

  it('are not read where a byte has changed or is missing', () => {
    const graphs = new RewrittenGraphs(place);
    const key = graphs.keyOf(['graph']);
    graphs.keep(key, graph(100));
    const file = join(place.folder, readdirSync(place.folder)[0]!);
    const whole = readFileSync(file);
    for (const at of [0, 40, whole.length - 1]) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 1;
      writeFileSync(file, damaged);
      expect(graphs.read(key)).toBeUndefined();
    }
    for (const length of [0, 10, whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, length));
      expect(graphs.read(key)).toBeUndefined();
    }
    graphs.keep(key, graph(100));
    expect(graphs.read(key)).toBeDefined();
  });

  it('give way in the order in which they were last used, and leftovers with them', () => {
    const graphs = new RewrittenGraphs(place, 5000);
    const keep = (name: string): void => graphs.keep(name, graph(1000));
    for (const name of ['a', 'b', 'c']) keep(name);
    const age = (name: string, seconds: number): void => {
      const then = Date.now() / 1000 - seconds;
      utimesSync(join(place.folder, name), then, then);
    };
    writeFileSync(join(place.folder, '.pyramidal-0.tmp'), '');
    for (const [name, seconds] of Object.entries({ 'a.graph': 300, 'b.graph': 200, 'c.graph': 100 }))
      age(name, seconds);
    age('.pyramidal-0.tmp', 7200);
    expect(graphs.read('a')).toBeDefined();
    for (const name of ['d', 'e']) keep(name);
    expect(readdirSync(place.folder).sort()).toEqual(['a.graph', 'c.graph', 'd.graph', 'e.graph']);
    keep('f');
    expect(graphs.read('c')).toBeUndefined();
    graphs.keep('g', graph(2000));
    expect(graphs.read('g')).toBeUndefined();
    const bytes = readdirSync(place.folder).map((name) => statSync(join(place.folder, name)).size);
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(5000);
  });

  it('are not there where the folder cannot be written or read, which is no error', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    for (const unusable of [file, join(file, 'below'), '/proc/none']) {
      const graphs = new RewrittenGraphs({ ...place, folder: unusable });
      graphs.keep('a', graph(10));
      expect(graphs.read('a')).toBeUndefined();
      graphs.drop('a');
    }
  });
});

onEngines(
  'compiled functions with graphs that are kept',
  () => {
    let folder: string;
    const addon = () => (engineBackend() as EngineBackend).binding.sessions as { rewritten: RewrittenGraphsPlace };
    let before: RewrittenGraphsPlace;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'rewritten-'));
      before = addon().rewritten;
      addon().rewritten = { ...before, folder };
      // Every graph is worth keeping where time goes fast.
      const start = performance.now();
      jest.spyOn(performance, 'now').mockImplementation(() => start + 1000 * ++ticks);
    });
    let ticks = 0;
    afterEach(() => {
      jest.restoreAllMocks();
      addon().rewritten = before;
      rmSync(folder, { recursive: true });
    });

    it('give the same numbers to the last bit, and change the same variables', async () => {
      await expectNoLeaks(() => {
        const weights = tf.tidy(smallWeights);
        const counter = tf.tidy(() => tf.variable(tf.scalar(0), false, 'rewritten.counter'));
        const images = wavesTensor<tf.Rank.R4>([2, 10, 12, 3]);
        const run = (): number[][] => {
          const step = compile(({ images }: { images: tf.Tensor4D }) => {
            const features = smallBlock(smallStem(images, weights), weights);
            counter.assign(tf.add(counter, 1));
            return { features, pooled: tf.mean(features, [1, 2]), count: tf.add(counter, 0) };
          });
          const all = [0, 1].flatMap(() => {
            const outputs = step({ images });
            const values = Object.values(outputs).map((output) => Array.from(output.dataSync()));
            tf.dispose({ ...outputs });
            return values;
          });
          step.dispose();
          return all;
        };
        const recorded = run();
        expect(readdirSync(folder)).toHaveLength(1);
        const [file] = readdirSync(folder).map((name) => join(folder, name)) as [string];
        const written = statSync(file).ctimeMs;
        const kept = run();
        expect(readdirSync(folder)).toHaveLength(1);
        expect(statSync(file).ctimeMs).toBeGreaterThan(written); // it was used
        // The count goes on.
        expect([recorded[2], recorded[5], kept[2], kept[5]]).toEqual([[1], [2], [3], [4]]);
        for (const i of [0, 1, 3, 4]) expect(kept[i]).toEqual(recorded[i]);
        expect(counter.dataSync()[0]).toBe(4);
        tf.dispose([images, counter, weights]);
      });
    });

    it('are recorded again where TensorFlow does not take what is kept', () => {
      const x = tf.tensor1d([1, 2]);
      const double = () => compile(({ x }: { x: tf.Tensor }) => ({ y: tf.mul(x, 2) }), { name: 'double' });
      const first = double();
      tf.dispose({ ...first({ x }) });
      first.dispose();
      const [name] = readdirSync(folder) as [string];
      new RewrittenGraphs({ ...before, folder }).keep(name.replace('.graph', ''), graph(100));
      const second = double();
      const outputs = second({ x });
      expect(Array.from(outputs.y.dataSync())).toEqual([2, 4]);
      second.dispose();
      tf.dispose([x, { ...outputs }]);
    });
  },
  ['tensorflow'],
);
