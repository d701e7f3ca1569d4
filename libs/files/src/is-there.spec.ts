import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isThere } from './is-there';

it('tells what is there, and in plain words why it cannot be known', () => {
  const folder = mkdtempSync(join(tmpdir(), 'is-there-'));
  try {
    symlinkSync('circle', join(folder, 'circle'));
    symlinkSync('nowhere', join(folder, 'dangling'));
    writeFileSync(join(folder, 'file'), '');
    const there = ['file', 'circle', 'dangling'];
    const missing = ['none', 'none/x', 'file/x', 'dangling/x'];
    expect(there.filter((name) => isThere(join(folder, name)))).toEqual(there);
    expect(missing.filter((name) => isThere(join(folder, name)))).toEqual([]);
    const path = join(folder, 'circle', 'x');
    expect(() => isThere(path)).toThrow(`${path}: cannot be looked at: symbolic links lead in a circle`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
