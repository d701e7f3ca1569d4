import { buildSync } from 'esbuild';
import { execFile, spawnSync } from 'node:child_process';
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { acquireLock, withLock, type Lock } from './lock';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
  path = join(folder, 'run.lock');
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const acquire = (): Lock => acquireLock(path, 'trains into this folder');
const owner = (changes: object): string =>
  JSON.stringify({ pid: process.pid, host: hostname(), began: null, since: '2026-01-02', ...changes });
const deadPid = (): number => spawnSync(process.execPath, ['-e', '']).pid;
const onLinux = process.platform === 'linux' ? it : it.skip;

describe('acquireLock', () => {
  it('holds until it is given back', () => {
    const lock = acquire();
    const message = `run.lock: process ${process.pid} on ${hostname()}, since .*, trains into this folder; if that is not so`;
    expect(acquire).toThrow(new RegExp(message));
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
    const next = acquire();
    lock.release();
    expect(existsSync(path)).toBe(true);
    next.release();
  });

  it('takes over what a process that ended has left', () => {
    writeFileSync(path, owner({ pid: deadPid(), token: 'dead' }));
    const lock = acquire();
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
    expect(readdirSync(folder)).toEqual(['run.lock']);
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('takes over from one that was killed while it took over', () => {
    const pid = deadPid();
    writeFileSync(path, owner({ pid, token: 'one' }));
    writeFileSync(`${path}.one`, owner({ pid, token: 'two' }));
    acquire();
    expect(readdirSync(folder)).toEqual(['run.lock']);
    expect(acquire).toThrow('trains into this folder');
  });

  it('leaves what another process is taking over', () => {
    writeFileSync(path, owner({ pid: deadPid(), token: 'one' }));
    writeFileSync(`${path}.one`, owner({ token: 'two' }));
    expect(acquire).toThrow(`process ${process.pid} on`);
    expect(readdirSync(folder)).toEqual(['run.lock', 'run.lock.one']);
  });

  it('starts over when the lock changes hands under its eyes', () => {
    writeFileSync(path, owner({ pid: deadPid(), token: 'one' }));
    const link = fs.linkSync;
    jest.spyOn(fs, 'linkSync').mockImplementationOnce((draft, file) => {
      // A faster process took over, was done, and a third one holds a lock of its own.
      writeFileSync(path, owner({ token: 'three' }));
      link(draft, file);
    });
    expect(acquire).toThrow(`process ${process.pid} on`);
    expect(readdirSync(folder)).toEqual(['run.lock']);
    expect(readFileSync(path, 'utf8')).toContain('three');
  });

  onLinux('takes over when the number belongs to a later process', () => {
    writeFileSync(path, owner({ began: '1' }));
    expect(acquire).not.toThrow();
  });

  it('leaves what a process of another host holds', () => {
    writeFileSync(path, owner({ host: 'elsewhere', pid: 7 }));
    expect(acquire).toThrow('run.lock: process 7 on elsewhere, since 2026-01-02, trains into this folder');
  });

  it.each(['', '{"pid": 1', '\0\0\0\0', '[]', 'null', '{"pid": "1"}'])('takes over a damaged file: %j', (text) => {
    writeFileSync(path, text);
    acquire().release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses a folder or a link in its place', () => {
    mkdirSync(path);
    expect(acquire).toThrow(`${path}: cannot be written: it is a folder, expected a file or nothing`);
    rmSync(path, { recursive: true });
    symlinkSync('elsewhere', path);
    expect(acquire).toThrow(`${path}: cannot be written: it is a symbolic link, expected a file or nothing`);
  });

  it('leaves nothing behind when the disk is full', () => {
    jest.spyOn(fs, 'writeSync').mockImplementation(() => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC', syscall: 'write' });
    });
    expect(acquire).toThrow(`${path}: cannot be written: no space left on the device`);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('does without links where there are none', () => {
    jest.spyOn(fs, 'linkSync').mockImplementation(() => {
      throw Object.assign(new Error('none'), { code: 'EPERM', syscall: 'link' });
    });
    const lock = acquire();
    expect(acquire).toThrow('trains into this folder');
    lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('lets exactly one of several processes take over, 200 times', async () => {
    const names = Array.from({ length: 200 }, (_, i) => `${String(i).padStart(3, '0')}.lock`);
    const pid = deadPid();
    for (const [i, name] of names.entries()) {
      writeFileSync(join(folder, name), i % 5 > 0 ? owner({ pid, token: 'dead' }) : '');
    }
    const script = join(folder, 'take-over.cjs');
    const fixture = join(__dirname, '../fixtures/take-over.ts');
    buildSync({ entryPoints: [fixture], outfile: script, bundle: true, platform: 'node' });
    const start = String(Date.now() + 1_000);
    const compete = (): Promise<{ stdout: string }> =>
      promisify(execFile)(process.execPath, [script, folder, start, '2']);
    const results = await Promise.all([compete(), compete(), compete()]);
    const won = results.flatMap(({ stdout }) => JSON.parse(stdout) as string[]);
    expect(won.sort()).toEqual(names);
  });
});

describe('withLock', () => {
  it('lets one in at a time, in spite of a dead holder, and leaves nothing behind', async () => {
    writeFileSync(path, owner({ pid: deadPid(), token: 'dead' }));
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await sleep(20);
      inside--;
    };
    await Promise.all(Array.from({ length: 4 }, () => withLock(path, work)));
    expect(most).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('returns what the work returns, and opens again when it throws', async () => {
    await expect(withLock(path, () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
    await expect(withLock(path, () => Promise.resolve(3))).resolves.toBe(3);
  });

  it('takes over from another machine only when its heartbeat has stopped', async () => {
    writeFileSync(path, owner({ pid: 1, host: 'elsewhere', token: 'far' }));
    const waits: number[] = [];
    const done = withLock(
      path,
      () => Promise.resolve('in'),
      ({ pid }) => waits.push(pid),
    );
    await sleep(300);
    expect(waits).toEqual([1]);
    const longAgo = new Date(Date.now() - 120_000);
    utimesSync(path, longAgo, longAgo);
    await expect(done).resolves.toBe('in');
  });
});
