import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { userPath } from './user-path';

describe('userPath', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'user-path-'));
    mkdirSync(join(root, 'photos/configs'), { recursive: true });
    mkdirSync(join(root, 'configs'));
    for (const file of ['photos/a.jpg', 'a.jpg', 'b.jpg', 'configs/x.yaml']) writeFileSync(join(root, file), '');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const fromNpm = (stands: string, script = 'node main.ts') => ({
    cwd: root,
    env: { INIT_CWD: join(root, stands), npm_package_json: join(root, 'package.json'), npm_lifecycle_script: script },
  });

  it.each([
    ['what is there', 'a.jpg', 'photos/a.jpg'],
    ['what is not there yet', 'runs/new', 'photos/runs/new'],
    ['a pattern', '*.png', 'photos/*.png'],
    ['what is in the package alone', 'b.jpg', 'b.jpg'],
    ['a configuration of the package', 'configs/x.yaml', 'configs/x.yaml'],
    ['what lies above', '../configs/x.yaml', 'configs/x.yaml'],
    ['the folder above', '..', '.'],
  ])('means %s from where the user stands, if npm moved', (_, path, expected) => {
    expect(userPath(path, fromNpm('photos'))).toBe(expected);
  });

  it('leaves absolute paths alone', () => expect(userPath('/data/a.jpg', fromNpm('photos'))).toBe('/data/a.jpg'));

  it('leaves paths alone where npm did not move, or runs another package, or the script names them', () => {
    expect(userPath('a.jpg', fromNpm('.'))).toBe('a.jpg');
    expect(userPath('a.jpg', { cwd: root, env: {} })).toBe('a.jpg');
    expect(userPath('a.jpg', { ...fromNpm('photos'), cwd: join(root, 'configs') })).toBe('a.jpg');
    expect(userPath('a.jpg', fromNpm('photos', 'detect predict a.jpg'))).toBe('a.jpg');
  });
});
