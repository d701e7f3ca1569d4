import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { claim } from './lock';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
  path = join(folder, 'run.lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

const owner = (changes: object): string =>
  JSON.stringify({ pid: process.pid, host: hostname(), began: null, since: '2026-01-02', ...changes });

describe('claim', () => {
  it('holds until it is given back', () => {
    const release = claim(path);
    expect(() => claim(path)).toThrow(
      new RegExp(
        `run.lock: process ${process.pid} on ${hostname()}, since .*, trains into this folder; if that is not so`,
      ),
    );
    release();
    expect(existsSync(path)).toBe(false);
    claim(path)();
  });

  it('takes over what a process that ended has left', () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeFileSync(path, owner({ pid }));
    claim(path);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('takes over when the number belongs to a later process', () => {
    writeFileSync(path, owner({ began: '1' }));
    expect(() => claim(path)).not.toThrow();
  });

  it('leaves what a process of another host holds', () => {
    writeFileSync(path, owner({ host: 'elsewhere', pid: 7 }));
    expect(() => claim(path)).toThrow('run.lock: process 7 on elsewhere, since 2026-01-02, trains into this folder');
  });

  it('leaves what it cannot read', () => {
    writeFileSync(path, '{"pid": 1');
    expect(() => claim(path)).toThrow(
      'run.lock: another process trains into this folder; if that is not so, delete this file',
    );
  });
});
