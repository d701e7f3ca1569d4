import { compare } from './compare';
import { describeReport, describeSpeed, isGood } from './report';
import type { CardReport } from './check';
import type { CaseAnswer } from './worker';

const answer = (numbers: CaseAnswer['numbers'], kind: CaseAnswer['kind'] = 'kernel'): CaseAnswer => {
  return { kind, name: 'it', ms: 1, ...(numbers && { numbers }) };
};

describe('compare', () => {
  it('tells the largest difference as a share of the largest value', () => {
    const found = compare('float32', answer({ a: [1, 2, 4.0002], b: [0] }), answer({ a: [1, 2, 4], b: [0] }));
    expect(found).toMatchObject({ kind: 'kernel', name: 'it', precision: 'float32', fault: undefined });
    expect(found.difference).toBeCloseTo(5e-5, 7);
  });

  it('finds fault with more than the precision explains', () => {
    const [received, expected] = [answer({ value: [1.004] }), answer({ value: [1] })];
    expect(compare('float32', received, expected).fault).toBe(
      'value differs by 4.0e-3 of the largest, expected 1.0e-4 of the largest',
    );
    expect(compare('bf16', received, expected).fault).toBeUndefined();
  });

  it('judges a network in half width by its loss, and by what is finite', () => {
    const expected = answer({ loss: [2], gradNorm: [1] }, 'detector');
    expect(compare('bf16', answer({ loss: [2.05], gradNorm: [3] }, 'detector'), expected).fault).toBeUndefined();
    expect(compare('float32', answer({ loss: [2], gradNorm: [3] }, 'detector'), expected).fault).toMatch(/^gradNorm/);
    expect(compare('bf16', answer({ loss: [2], gradNorm: [NaN] }, 'detector'), expected).fault).toBe(
      'gradNorm is not finite',
    );
  });

  it('finds fault with an update that was skipped', () => {
    const expected = answer({ loss: [2], gradNorm: [1] }, 'detector');
    const scaled = (skipped: number) => answer({ loss: [2], gradNorm: [1], lossScale: [65536], skipped: [skipped] }, 'detector'); // prettier-ignore
    expect(compare('fp16', scaled(0), expected).fault).toBeUndefined();
    expect(compare('fp16', scaled(1), expected).fault).toBe('the gradients are not finite: the update was skipped');
  });

  it('finds fault with what failed, has another size, or has nothing beside it', () => {
    const one = answer({ value: [1] });
    expect(compare('float32', { ...answer(undefined), error: 'no kernel' }, one).fault).toBe('no kernel');
    expect(compare('float32', one, answer({ value: [1, 2] })).fault).toMatch(/^value differs by its size/);
    expect(compare('float32', one, undefined).fault).toBe('nothing to compare with: not computed');
  });
});

describe('the report', () => {
  const speed = { forwardMs: 10, trainMs: 30, memoryMB: 200 };
  const longest = [{ group: 'MatMul', count: 7, ms: 9 }];
  const timeline = { busyMs: 12, copyingMs: 0.5, kernels: 40, longest, onProcessor: [] };
  const good: CardReport = {
    device: 'a card',
    comparisons: [compare('float32', answer({ value: [1] }), answer({ value: [1] }))],
    faults: [],
    speeds: [
      {
        network: 'tiny',
        precision: 'bf16',
        xla: false,
        ours: { ...speed, timeline },
        torch: { ...speed, trainMs: 60 },
      },
      {
        network: 'tiny',
        precision: 'bf16',
        xla: true,
        ours: { ...speed, trainMs: 15 },
        torch: { ...speed, trainMs: 60 },
      },
    ],
  };

  it('stands in a table with a verdict', () => {
    expect(isGood(good)).toBe(true);
    const text = describeReport(good);
    expect(text).toContain('| kernel | float32 | 1 | 1 | 0.0e+0 (it) |');
    expect(text).toContain('| tiny | bf16 | 10.0 | 30.0 | 40 % | 200 | 1.00 | 0.50 |');
    expect(text).toContain('| tiny | bf16 with XLA | 10.0 | 15.0 |  | 200 | 1.00 | 0.25 |');
    const where = 'tiny in bf16, a training step: 40 started, computing 12.0 ms, copies 0.5 ms; MatMul 9.0 (7)';
    expect(text).toContain(`\n${where}\n`);
    expect(text).toMatch(/\nGood: all 1 cases agree with the processor, and every network ran\.$/);
  });

  it('tells a row as soon as it is known', () => {
    const [row] = good.speeds;
    const [times] = describeSpeed(row!).split('\n');
    expect(times).toBe("tiny in bf16: forward 10.0 ms, training 30.0 ms; PyTorch's forward 10.0 ms, training 60.0 ms");
    expect(describeSpeed({ ...row!, ours: 'out of memory' })).toBe('tiny in bf16: out of memory');
  });

  it('names every problem, and what is missing beside the times', () => {
    const bad: CardReport = {
      ...good,
      comparisons: [compare('fp16', answer({ value: [2] }), answer({ value: [1] }))],
      faults: ['tensorflow-gpu in bf16, after 3 cases: ended by SIGSEGV'],
      speeds: [
        { network: 'tiny', precision: 'bf16', xla: false, ours: 'out of memory', torch: undefined },
        {
          network: 'small',
          precision: 'bf16',
          xla: false,
          ours: { ...speed, fault: 'ended by SIGSEGV' },
          torch: undefined,
        },
      ],
    };
    expect(isGood(bad)).toBe(false);
    expect(describeReport(bad).split('\n').slice(-6)).toEqual([
      'PYRAMIDAL_PYTHON names no Python: nothing stands beside these times.',
      'Not good: 4 problems. `npm run runtime -- doctor` tells what is installed.',
      '- tensorflow-gpu in bf16, after 3 cases: ended by SIGSEGV',
      '- kernel it in fp16: value differs by 1.0e+0 of the largest, expected 6.0e-3 of the largest',
      '- tiny in bf16 did not run: out of memory',
      '- small in bf16 ended after its times: ended by SIGSEGV',
    ]);
  });
});
