import { expectClose } from '@pyramidal/testing';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../install/cache-folder';

interface Answer {
  readonly threads: number;
  readonly replays: readonly number[][];
  readonly eager: readonly number[];
}

const isInstalled = existsSync(join(cacheFolder(), 'installed'));
const onLinux = isInstalled && process.platform === 'linux' ? describe : describe.skip;

onLinux("the runtime's own threads (skipped without native TensorFlow on Linux)", () => {
  const script = join(__dirname, '../../test-support/threads.ts');
  const run = (threads: number): Answer => {
    const node = ['-C', '@pyramidal/source', '--import', 'tsx', script, String(threads)];
    return JSON.parse(execFileSync(process.execPath, node, { encoding: 'utf8' })) as Answer;
  };
  const alone = run(1);

  it('are left out where one is enough', () => expect(alone.threads).toBe(0));

  it.each([2, 5])('give the same numbers every time, %i of them', (threads) => {
    const answer = run(threads);
    expect(answer.threads).toBe(threads);
    for (const values of [...answer.replays, answer.eager])
      expectClose(values, alone.eager, { rtol: 1e-4, atol: 1e-4 });
  });
});
