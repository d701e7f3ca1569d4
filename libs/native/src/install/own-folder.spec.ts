import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { existsAtAll } from './own-folder';

it('says in plain words why it cannot be known whether there is a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'own-folder-'));
  try {
    symlinkSync('circle', join(folder, 'circle'));
    writeFileSync(join(folder, 'file'), '');
    expect(['circle', 'file', 'none', 'none/x'].map((name) => existsAtAll(join(folder, name)))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    const path = join(folder, 'circle', 'x');
    expect(() => existsAtAll(path)).toThrow(`${path}: cannot be looked at: symbolic links lead in a circle`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
