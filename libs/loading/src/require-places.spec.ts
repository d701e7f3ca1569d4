import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requirePlaces } from './require-places';

describe('requirePlaces', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'places-'));
    mkdirSync(join(root, 'valid'));
    writeFileSync(join(root, 'train.json'), '');
    writeFileSync(join(root, '.hidden'), '');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const complaint = (path: string, at = root): string | undefined => {
    try {
      requirePlaces(at, [{ keys: 'data.train', path: 'train.json' }, { keys: 'data.val', path }]); // prettier-ignore
      return undefined;
    } catch (error) {
      return (error as Error).message.replaceAll(root, 'data');
    }
  };

  it('names the key of what is not there, and what is', () => {
    expect(complaint('valid')).toBeUndefined();
    expect(complaint('val')).toBe(
      'data/val: no such file or folder; data.val says what is read below data.root, which holds train.json, valid',
    );
    expect(complaint('val', join(root, 'none'))).toBe('data/none: no such folder (data.root)');
    expect(complaint('val', join(root, 'valid'))).toMatch(/valid\/train\.json: .* which holds nothing$/);
  });

  it('names few of many', () => {
    for (let i = 0; i < 20; i++) writeFileSync(join(root, `${i}.jpg`), '');
    expect(complaint('val')).toMatch(/which holds 0\.jpg, 1\.jpg, 10\.jpg, .*, \.\.\.$/);
  });
});
