import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PendingFile } from './index';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'pending-'))));
afterEach(() => rmSync(folder, { recursive: true }));

describe('PendingFile', () => {
  it('leaves the old file until the new one is complete', () => {
    const path = join(folder, 'results.json');
    writeFileSync(path, 'old');
    const file = new PendingFile(path);
    file.write('[1,');
    file.write(Buffer.from('2]'));
    expect(readFileSync(path, 'utf8')).toBe('old');
    file.complete();
    file.discard();
    expect(readFileSync(path, 'utf8')).toBe('[1,2]');
    expect(readdirSync(folder)).toEqual(['results.json']);
  });

  it('leaves nothing when it is given up', () => {
    const file = new PendingFile(join(folder, 'results.json'));
    file.write('half');
    file.discard();
    expect(readdirSync(folder)).toEqual([]);
    expect(() => file.write('more')).toThrow(/results\.json: is not open any more$/);
  });

  it('refuses what is no file, and a folder that is not there', () => {
    symlinkSync('/etc/passwd', join(folder, 'link'));
    expect(() => new PendingFile(join(folder, 'link'))).toThrow(/link: cannot be written: it is a symbolic link/);
    expect(() => new PendingFile(join(folder, 'none', 'x'))).toThrow(/none\/x: cannot be written: no such file/);
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});
