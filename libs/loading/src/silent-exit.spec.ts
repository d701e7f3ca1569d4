import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** `PYRAMIDAL_STRESS=200` for the full number. */
const PROCESSES = Number(process.env['PYRAMIDAL_STRESS'] ?? 20);
const AT_A_TIME = 4;

const program = join(__dirname, '../fixtures/failing-run.ts');
const tsx = createRequire(__filename).resolve('tsx/cjs');

/** How a process of the program ended. */
function run(): Promise<string> {
  const args = ['--conditions=@pyramidal/source', '--require', tsx, program];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, (_, stdout, stderr) => {
      resolve(`${(stdout + stderr).trim()}, exit code ${child.exitCode}`);
    });
  });
}

describe('a program that fails while threads are answering', () => {
  it(
    `says so and exits with its own code, ${PROCESSES} times`,
    async () => {
      const outcomes: string[] = [];
      const worker = async () => {
        while (outcomes.length < PROCESSES) {
          const slot = outcomes.push('not ended') - 1;
          outcomes[slot] = await run();
        }
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, worker));
      expect(outcomes).toEqual(outcomes.map(() => 'caught: call 0 failed, exit code 3'));
    },
    PROCESSES * 10_000,
  );
});
