import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fakeMachine, type FakeMachine } from '@pyramidal/testing/machine';
import { withInstallLock } from './install-lock';

describe('withInstallLock', () => {
  let machine: FakeMachine;
  beforeEach(() => (machine = fakeMachine()));
  afterEach(() => machine.remove());

  const holdLock = (holder: object) => {
    mkdirSync(machine.cache, { recursive: true });
    const file = join(machine.cache, 'install.lock');
    writeFileSync(file, JSON.stringify(holder));
    return file;
  };
  const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid;

  it('lets one in at a time and leaves nothing behind', async () => {
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await sleep(20);
      inside--;
    };
    await Promise.all(Array.from({ length: 4 }, () => withInstallLock(machine.cache, work)));
    expect(most).toBe(1);
    expect(readdirSync(machine.cache)).toEqual([]);
  });

  it('returns what the work returns, and opens again when it throws', async () => {
    const failing = () => Promise.reject(new Error('refused'));
    await expect(withInstallLock(machine.cache, failing)).rejects.toThrow('refused');
    await expect(withInstallLock(machine.cache, () => Promise.resolve(3))).resolves.toBe(3);
  });

  it('takes over the lock of a process that died, once', async () => {
    holdLock({ pid: deadPid(), host: hostname(), token: 'dead' });
    let inside = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await sleep(20);
      inside--;
    };
    await Promise.all(Array.from({ length: 4 }, () => withInstallLock(machine.cache, work)));
    expect(most).toBe(1);
    expect(existsSync(join(machine.cache, 'install.lock'))).toBe(false);
  });

  it('takes over the lock of another machine only when its heartbeat has stopped', async () => {
    const file = holdLock({ pid: 1, host: 'elsewhere', token: 'far' });
    const waits: number[] = [];
    const done = withInstallLock(
      machine.cache,
      () => Promise.resolve('in'),
      (pid) => waits.push(pid),
    );
    await sleep(300);
    expect(waits).toEqual([1]);
    const longAgo = new Date(Date.now() - 120_000);
    utimesSync(file, longAgo, longAgo);
    await expect(done).resolves.toBe('in');
  });

  it('takes over a lock that is no lock', async () => {
    mkdirSync(machine.cache, { recursive: true });
    writeFileSync(join(machine.cache, 'install.lock'), '');
    await expect(withInstallLock(machine.cache, () => Promise.resolve('in'))).resolves.toBe('in');
  });
});
