import { expectClose, hasNative } from '@pyramidal/testing';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

interface Answer {
  readonly threads: number;
  readonly sums: readonly number[][];
  readonly products: readonly string[];
  readonly norms: readonly string[];
  readonly denormal: readonly number[][];
}

const onLinux = hasNative() && process.platform === 'linux' ? describe : describe.skip;

onLinux("the runtime's own threads (skipped without native TensorFlow on Linux)", () => {
  const script = join(__dirname, '../../test-support/threads.ts');
  const run = (threads: number): Answer => {
    const node = ['-C', '@pyramidal/source', '--import', 'tsx', script, String(threads)];
    return JSON.parse(execFileSync(process.execPath, node, { encoding: 'utf8' })) as Answer;
  };
  let alone: Answer;
  beforeAll(() => (alone = run(1)));

  it('are left out where one is enough', () => expect(alone.threads).toBe(0));

  describe.each([2, 5])('%i of them', (threads) => {
    let answer: Answer;
    beforeAll(() => (answer = run(threads)));

    it('are as many as asked for', () => expect(answer.threads).toBe(threads));

    it('give the same numbers every time', () => {
      for (const values of answer.sums) expectClose(values, alone.sums[0]!, { rtol: 1e-4, atol: 1e-4 });
      expect([...new Set(answer.products)]).toEqual([alone.products[0]]);
      expect([...new Set(answer.norms)]).toEqual([alone.norms[0]]);
    });

    it('take denormal numbers for zero', () =>
      expect(answer.denormal.flat().filter((count) => count !== 0)).toEqual([]));
  });
});
