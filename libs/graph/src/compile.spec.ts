import * as tf from '@tensorflow/tfjs-core';
import { expectClose, expectNoLeaks, onEngines, wavesTensor } from '@pyramidal/testing';
import { random } from '@pyramidal/kernels';
import { compile, type CompiledFunction } from './compile';

/** A linear model with its gradient step and an average of its weights, as a function of named tensors. */
function model(): {
  weights: tf.Variable;
  average: tf.Variable;
  step: (inputs: { x: tf.Tensor2D; rate: tf.Scalar }) => { loss: tf.Scalar };
} {
  const weights = tf.tidy(() => tf.variable(tf.tensor2d([1, 2, 3, 4], [2, 2])));
  const average = tf.variable(weights, false);
  const loss = (x: tf.Tensor2D): tf.Scalar =>
    tf.mean(tf.square(tf.sub(tf.matMul(x, weights as unknown as tf.Tensor2D), 1)));
  const step = ({ x, rate }: { x: tf.Tensor2D; rate: tf.Scalar }): { loss: tf.Scalar } => {
    const { value, grads } = tf.variableGrads(() => loss(x), [weights]);
    weights.assign(tf.sub(weights, tf.mul(rate, grads[weights.name] as tf.Tensor)));
    average.assign(tf.add(tf.mul(average, 0.5), tf.mul(weights, 0.5)));
    return { loss: value };
  };
  return { weights, average, step };
}

const input = (): tf.Tensor2D => tf.tensor2d([1, 0.5, -1, 2], [2, 2]);

/** Losses of three steps, the weights after two and three of them, and their average. */
function train(
  run: (inputs: { x: tf.Tensor2D; rate: number }) => { loss: tf.Scalar },
  m: ReturnType<typeof model>,
): number[] {
  const numbers: number[] = [];
  for (const rate of [0.1, 0.05, 0.2]) {
    const x = input();
    const { loss } = run({ x, rate });
    numbers.push(...loss.dataSync(), ...(rate === 0.1 ? [] : m.weights.dataSync()));
    tf.dispose([x, loss]);
  }
  return [...numbers, ...m.average.dataSync()];
}

onEngines('compile', () => {
  it('gives the numbers of the plain function, variables included', async () => {
    await expectNoLeaks(() => {
      const [plain, recorded] = [model(), model()];
      const expected = train(({ x, rate }) => tf.tidy(() => plain.step({ x, rate: tf.scalar(rate) })), plain);
      const compiled = compile(recorded.step) as unknown as CompiledFunction<
        { x: tf.Tensor2D; rate: number },
        { loss: tf.Scalar }
      >;
      expectClose(train(compiled, recorded), expected, { rtol: 1e-6 });
      compiled.dispose();
      expectClose(recorded.weights.dataSync(), plain.weights.dataSync(), { rtol: 1e-6 });
      tf.dispose([plain.weights, plain.average, recorded.weights, recorded.average]);
    });
  });

  it('takes and returns lists of tensors', () => {
    const doubled = compile(({ items }: { items: readonly tf.Tensor[] }) => ({
      items: items.map((item) => tf.mul(item, 2)),
      first: items[0] as tf.Tensor,
    }));
    tf.tidy(() => {
      const { items, first } = doubled({ items: [tf.scalar(1), tf.tensor1d([2, 3])] });
      expect(items.map((item) => Array.from(item.dataSync()))).toEqual([[2], [4, 6]]);
      expect(first.dataSync()[0]).toBe(1);
    });
    doubled.dispose();
  });

  it('takes more parts of a tensor than constants are compared', () => {
    const parts = 1500;
    const last = compile(({ x }: { x: tf.Tensor }) => ({ y: tf.split(x, Array<number>(parts).fill(1)).at(-1)! }));
    tf.tidy(() => expect(last({ x: tf.range(0, parts) }).y.dataSync()[0]).toBe(parts - 1));
    last.dispose();
  });

  it('draws new random numbers for a new seed, the same for the same', () => {
    const drop = compile(({ x, seed }: { x: tf.Tensor; seed: tf.Tensor1D }) => ({ y: random.dropout(x, 0.5, seed) }));
    const masks = [1, 2, 1].map((seed) =>
      tf.tidy(() =>
        drop({ x: tf.ones([32]), seed: tf.tensor1d([seed, 0], 'int32') })
          .y.dataSync()
          .join(),
      ),
    );
    expect(masks[0]).toBe(masks[2]);
    expect(masks[0]).not.toBe(masks[1]);
    drop.dispose();
  });
});

onEngines(
  'a recorded step',
  () => {
    const run = <T extends tf.Tensor>(fn: (inputs: { x: tf.Tensor }) => { y: T }): (() => void) => {
      return () => {
        const x = tf.tensor1d([1, 2, 3]);
        try {
          tf.dispose(compile(fn, { name: 'bad' })({ x }));
        } finally {
          x.dispose();
        }
      };
    };

    it.each<[string, (inputs: { x: tf.Tensor }) => { y: tf.Tensor }]>([
      ['values of a tensor are read', ({ x }) => ({ y: x.dataSync()[0] === 1 ? tf.neg(x) : x })],
      ['a random number is drawn in JavaScript', ({ x }) => ({ y: tf.add(x, tf.randomUniform([3])) })],
      ['a random number is drawn in JavaScript', ({ x }) => ({ y: tf.mul(x, Math.random()) })],
      ['variables are made', ({ x }) => ({ y: tf.add(x, tf.variable(tf.zeros([3]))) })],
      ['1 more tensors are kept', ({ x }) => ({ y: tf.keep(tf.neg(x)) })],
    ])('says that %s, and where', async (what, fn) => {
      const variables = new Set(Object.values(tf.engine().registeredVariables));
      expect(run(fn)).toThrow(what);
      expect(run(fn)).toThrow(/compile 'bad'.*compile\.spec\.ts/);
      for (const variable of Object.values(tf.engine().registeredVariables)) {
        if (!variables.has(variable)) variable.dispose();
      }
      expect(Math.random()).toBeLessThan(1);
      expect(tf.tidy(() => tf.tensor1d([4]).dataSync()[0])).toBe(4);
    });

    it('records once per signature and keeps no more graphs than asked', () => {
      let calls = 0;
      const negate = compile(
        ({ x }: { x: tf.Tensor }) => {
          calls++;
          return { y: tf.neg(x) };
        },
        { name: 'negate', maxGraphs: 2 },
      );
      const call = (length: number): void => {
        tf.tidy(() => expect(negate({ x: tf.ones([length]) }).y.dataSync()).toHaveLength(length));
      };
      for (const length of [1, 2, 1, 2, 3, 3, 2]) call(length);
      expect(calls).toBe(3);
      expect(negate.explain().map(({ signature }) => signature)).toEqual(['x: float32[3]', 'x: float32[2]']);
      call(1);
      expect(calls).toBe(4);
      negate.dispose();
    });

    it('shares variables with other steps and with code outside, without stale values', async () => {
      await expectNoLeaks(() => {
        const weights = tf.tidy(() => tf.variable(tf.tensor1d([1, 2])));
        const grow = compile(({ by }: { by: tf.Scalar }) => {
          weights.assign(tf.add(weights, by));
          return { sum: tf.sum(weights) };
        });
        const look = compile(({ x }: { x: tf.Tensor }) => ({ y: tf.mul(weights, x) }));
        const growBy = (by: number): number => tf.tidy(() => (grow as never as Grow)({ by }).sum.dataSync()[0] ?? NaN);
        const seen = (): number[] => tf.tidy(() => Array.from(look({ x: tf.scalar(10) }).y.dataSync()));
        expect(growBy(1)).toBe(5);
        expect(seen()).toEqual([20, 30]);
        const kept = weights.clone();
        expect(growBy(2)).toBe(9);
        expect(Array.from(kept.dataSync())).toEqual([2, 3]);
        expect(Array.from(weights.dataSync())).toEqual([4, 5]);
        expect(seen()).toEqual([40, 50]);
        tf.tidy(() => weights.assign(tf.tensor1d([7, 7])));
        expect(seen()).toEqual([70, 70]);
        expect(growBy(1)).toBe(16);
        grow.dispose();
        expect(Array.from(weights.dataSync())).toEqual([8, 8]);
        expect(seen()).toEqual([80, 80]);
        look.dispose();
        tf.dispose([weights, kept]);
      });
    });

    it('takes variables of its own as inputs, and what is left of one that is gone as a constant', async () => {
      await expectNoLeaks(() => {
        const weights = tf.tidy(() => tf.variable(tf.range(0, 1000)));
        const grow = compile(({ x, y }: { x: tf.Tensor; y: tf.Tensor }) => {
          weights.assign(tf.add(weights, 1));
          return { sum: tf.addN([x, y, weights]) };
        });
        const last = (y: tf.Tensor): number => tf.tidy(() => grow({ x: weights, y }).sum.dataSync()[999] ?? NaN);
        const ones = tf.ones([1000]);
        expect(last(ones)).toBe(999 + 1 + 1000);
        expect(last(ones)).toBe(1000 + 1 + 1001);
        expect(last(weights)).toBe(1001 + 1001 + 1002);
        const kept = weights.clone();
        weights.dispose();
        const look = compile(({ x }: { x: tf.Tensor }) => ({ y: tf.add(kept, x) }));
        tf.tidy(() => expect(look({ x: tf.scalar(1) }).y.dataSync()[999]).toBe(1003));
        look.dispose();
        grow.dispose();
        expect(kept.dataSync()[999]).toBe(1002);
        tf.dispose([kept, ones]);
      });
    });

    it('fills uniform constants in and shares equal ones', () => {
      const summary = compile(({ x }: { x: tf.Tensor }) => ({
        y: tf.add(x, tf.add(tf.ones([500, 500]), tf.ones([500, 500]))),
      }));
      tf.tidy(() => expect(summary({ x: tf.scalar(1) }).y.dataSync()[17]).toBe(3));
      const [graph] = summary.explain();
      expect(graph?.constantBytes).toBeLessThan(100);
      expect(graph?.operations).toMatchObject({ Fill: 1 });
      summary.dispose();
    });

    it('computes matrix products in bfloat16 when asked', () => {
      const product = ({ a, b }: { a: tf.Tensor2D; b: tf.Tensor2D }): { y: tf.Tensor } => ({ y: tf.matMul(a, b) });
      const [exact, low] = [compile(product), compile(product, { precision: 'bf16' })];
      tf.tidy(() => {
        const inputs = { a: wavesTensor<tf.Rank.R2>([20, 30]), b: wavesTensor<tf.Rank.R2>([30, 10], 1) };
        const [full, rounded] = [exact(inputs).y.dataSync(), low(inputs).y.dataSync()];
        expectClose(rounded, full, { atol: 0.1 });
        expect(Array.from(rounded)).not.toEqual(Array.from(full));
      });
      exact.dispose();
      low.dispose();
    });

    it('runs hundreds of times without another tensor', async () => {
      const m = model();
      const compiled = compile(m.step) as unknown as CompiledFunction<
        { x: tf.Tensor2D; rate: number },
        { loss: tf.Scalar }
      >;
      const x = input();
      compiled({ x, rate: 0.01 }).loss.dispose();
      await expectNoLeaks(() => {
        for (let i = 0; i < 500; i++) compiled({ x, rate: 0.01 }).loss.dispose();
      });
      compiled.dispose();
      tf.dispose([x, m.weights, m.average]);
    });
  },
  ['tensorflow'],
);

type Grow = (inputs: { by: number }) => { sum: tf.Tensor };
