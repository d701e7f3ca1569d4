import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findImages } from './find-images';

describe('findImages', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'find-images-'));
    mkdirSync(join(root, 'photos/cats'), { recursive: true });
    mkdirSync(join(root, 'none'));
    for (const file of ['b.jpg', 'a.JPG', 'cats/c.png', 'notes.txt', '.hidden.jpg']) {
      writeFileSync(join(root, 'photos', file), '');
    }
    writeFileSync(join(root, 'odd [1].jpg'), '');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const find = (...paths: string[]) =>
    findImages(paths.map((path) => join(root, path))).map((path) => path.slice(root.length + 1));

  it('takes files as they are, folders with what lies below, and patterns', () => {
    expect(find('photos/notes.txt')).toEqual(['photos/notes.txt']);
    expect(find('photos')).toEqual(['photos/a.JPG', 'photos/b.jpg', 'photos/cats/c.png']);
    expect(find('photos/*')).toEqual(['photos/a.JPG', 'photos/b.jpg']);
    expect(find('photos/**/*.png', 'odd [1].jpg')).toEqual(['photos/cats/c.png', 'odd [1].jpg']);
  });

  it('passes over the results of a search before, and names what it leaves out', () => {
    mkdirSync(join(root, 'photos/found'));
    writeFileSync(join(root, 'photos/found/0000-a.jpg'), '');
    writeFileSync(join(root, 'photos/scan.bmp'), '');
    const lines: string[] = [];
    const except = join(root, 'photos/found');
    const all = ['a.JPG', 'b.jpg', 'cats/c.png'].map((name) => join(root, 'photos', name));
    expect(findImages([join(root, 'photos')], { except, say: (line) => lines.push(line) })).toEqual(all);
    expect(lines).toEqual([`${root}/photos: 2 files are no images that are read, the first one notes.txt`]);
    expect(findImages([join(root, 'photos/**/*')], { except })).toEqual(all);
    expect(findImages([except], { except })).toEqual([join(except, '0000-a.jpg')]);
  });

  (process.platform === 'win32' ? it.skip : it)('follows links below a folder, none of them in circles', () => {
    mkdirSync(join(root, 'album (1)'));
    symlinkSync(join(root, 'photos/cats'), join(root, 'album (1)/cats'));
    symlinkSync(join(root, 'photos/b.jpg'), join(root, 'album (1)/b.jpg'));
    symlinkSync(join(root, 'album (1)'), join(root, 'album (1)/again'));
    expect(find('album (1)')).toEqual(['album (1)/b.jpg', 'album (1)/cats/c.png']);
  });

  (process.platform === 'win32' ? it.skip : it)('looks into each folder once, however many paths lead there', () => {
    for (let level = 0; level < 40; level++) {
      mkdirSync(join(root, `maze/${level}`), { recursive: true });
      for (const name of ['x', 'y']) symlinkSync(join(root, `maze/${level + 1}`), join(root, `maze/${level}/${name}`));
    }
    mkdirSync(join(root, 'maze/40'));
    writeFileSync(join(root, 'maze/40/end.png'), '');
    expect(find('maze')).toEqual([`maze/0${'/x'.repeat(40)}/end.png`]);
  });

  it.each([
    ['missing.jpg', 1, /missing\.jpg: no such file or folder$/],
    ['none', 2, /none: expected a folder with images \(\.jpg, .*\), found none$/],
    ['photos/*.webp', 2, /\*\.webp: expected a pattern that images match \(\.jpg, .*\), found none$/],
  ])('refuses %s with exit code %d', (path, exitCode, message) => {
    expect(() => find(path)).toThrow(expect.objectContaining({ exitCode, message: expect.stringMatching(message) }));
  });

  (process.platform === 'win32' ? it.skip : it)('refuses a pipe, which nobody may ever write to', () => {
    execFileSync('mkfifo', [join(root, 'pipe.jpg')]);
    expect(() => find('pipe.jpg')).toThrow(/pipe\.jpg: expected an image, or a folder with images$/);
  });
});
