import { execFile, spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const fixture = join(__dirname, '../fixtures/ends.ts');
const ARGUMENTS = ['-C', '@pyramidal/source', '--import', 'tsx', fixture];

interface Ending {
  readonly code: number;
  readonly stderr: string;
}

async function run(...args: string[]): Promise<Ending> {
  try {
    const { stderr } = await promisify(execFile)(process.execPath, [...ARGUMENTS, ...args]);
    return { code: 0, stderr };
  } catch (error) {
    return error as Ending;
  }
}

const CUT_SHORT = 'ends: ended before its work was done: nothing was left to wait for; results may be missing\n';

describe('runProgram', () => {
  it.each<[string, number, string]>([
    ['done', 0, ''],
    ['asked-to-stop', 130, ''],
    ['never-settles', 1, CUT_SHORT],
    ['exits-itself', 1, CUT_SHORT],
    ['thread-unreferenced', 1, CUT_SHORT],
    ['wrong-usage', 2, 'x.yaml:3: train.epochs: expected 1 or more\nx.yaml:4: and more\n'],
    ['fault', 1, "unexpected error: Cannot read properties of undefined (reading 'find') (--debug shows where)\n"],
    ['deep-recursion', 1, 'unexpected error: Maximum call stack size exceeded (--debug shows where)\n'],
    [
      'too-large',
      1,
      'not enough memory: Invalid typed array length: 30000000000; smaller batches or images need less\n',
    ],
    ['missing-file', 1, '/nonexistent/file.json: no such file or folder (open)\n'],
    ['in-the-way', 1, '/tmp: a file of that name is in the way (mkdir)\n'],
    ['no-error', 1, 'unexpected error: just text (--debug shows where)\n'],
    ['several-lines', 1, 'Invalid argument:; [Op:Conv2D]\n'],
    ['thread-crashes', 1, "unexpected error: Cannot read properties of null (reading 'x') (--debug shows where)\n"],
    ['thrown-in-timer', 1, 'unexpected error: Invalid string length (--debug shows where)\n'],
    ['nobody-waits', 1, 'a batch failed\n'],
    ['says-hostile-names', 0, '\\u001b[2Jname\\u0007 3\n'],
    ['fails-after-the-end', 1, 'late\n'],
  ])('%s: exit code %d and one message', async (way, code, message) => {
    const ending = await run(way);
    expect({ code: ending.code, stderr: ending.stderr }).toEqual({ code, stderr: message });
  });

  it('shows the stack with --debug', async () => {
    const { code, stderr } = await run('fault', '--debug');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^unexpected error: .+\nTypeError: Cannot read properties.+\n\s+at /);
  });

  it('goes on quietly when the reader of its output has seen enough', () => {
    const command = `'${process.execPath}' ${ARGUMENTS.join(' ')} talks | head -1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: 'line 0\n0\n', stderr: '' });
  });

  (process.platform === 'linux' ? it : it.skip)('fails in one line when its output cannot be written', () => {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [...ARGUMENTS, 'talks'], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'write: no space left on the device\n' });
  });
});
