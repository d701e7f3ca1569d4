import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { echo, type Task } from '../fixtures/echo-worker';
import { WorkerPool } from './worker-pool';

const file = join(__dirname, '../fixtures/echo-worker.ts');

describe('WorkerPool', () => {
  let pool: WorkerPool<[Task], Float32Array>;
  const open = (threads: number) => (pool = new WorkerPool({ file, name: 'echo', run: echo }, threads));
  afterEach(() => pool.close());

  it('answers every task, whichever thread did it', async () => {
    open(2);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, value) => pool.run([{ kind: 'double', value }])));
    expect(answers.map(([value]) => value)).toEqual(Array.from({ length: 20 }, (_, value) => 2 * value));
  });

  it('runs the first call here where that is asked for, and the others in threads', async () => {
    const run = jest.fn(echo);
    pool = new WorkerPool({ file, name: 'echo', run }, 1, { firstHere: true });
    const answers = await Promise.all([1, 2, 3].map((value) => pool.run([{ kind: 'double', value }])));
    expect(answers.map(([value]) => value)).toEqual([2, 4, 6]);
    expect(run.mock.calls).toEqual([[{ kind: 'double', value: 1 }]]);
  });

  it("passes on an error's name, message and properties", async () => {
    open(1);
    const error: unknown = await pool.run([{ kind: 'fail', value: 7 }]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'TaskError', message: 'task 7 failed', value: 7 });
    expect(await pool.run([{ kind: 'double', value: 1 }])).toEqual(Float32Array.of(2));
  });

  it('takes back what has not begun when the signal fires', async () => {
    open(1);
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    const tasks = Array.from({ length: 50 }, (_, value) => pool.run([{ kind: 'slow', value }], controller.signal));
    controller.abort(new Error('enough'));
    for (const outcome of await Promise.allSettled(tasks)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'enough' } });
    }
    const [done] = await pool.run([{ kind: 'count', value: 0 }]);
    expect(done).toBeLessThanOrEqual(3); // the two in work, and this one
    await expect(pool.run([{ kind: 'double', value: 0 }], controller.signal)).rejects.toThrow('enough');
  });

  it('fails the tasks of a thread that ends, and starts another', async () => {
    open(1);
    await expect(pool.run([{ kind: 'exit', value: 0 }])).rejects.toThrow('ended with code 3');
    expect(await pool.run([{ kind: 'double', value: 4 }])).toEqual(Float32Array.of(8));
  });

  it('says why a worker cannot start', async () => {
    pool = new WorkerPool({ file: join(__dirname, 'missing-worker.ts'), name: 'echo', run: echo }, 1);
    await expect(pool.run([{ kind: 'double', value: 0 }])).rejects.toThrow(
      /missing-worker\.ts stopped: Cannot find module/,
    );
  });

  it('says in plain words what the system refuses a worker', async () => {
    open(1);
    await expect(pool.run([{ kind: 'files', value: 0 }])).rejects.toThrow(
      /echo-worker\.ts stopped: too many files are open in this process/,
    );
  });

  it('fails what is open when it is closed', async () => {
    open(1);
    const slow = pool.run([{ kind: 'slow', value: 0 }]);
    const outcome = expect(slow).rejects.toThrow('was closed');
    await pool.close();
    await outcome;
    await expect(pool.run([{ kind: 'double', value: 0 }])).rejects.toThrow('is closed');
  });
});
