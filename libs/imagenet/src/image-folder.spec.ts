import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { dataFolder, describeWith } from '@pyramidal/testing';
import { openImageFolder, partOfSplit, requireSplit } from './image-folder';

describe('openImageFolder', () => {
  let root: string;
  beforeEach(async () => (root = await mkdtemp(join(tmpdir(), 'folder-'))));
  afterEach(() => rm(root, { recursive: true }));

  /** Makes files (empty, or with the text given) below the root. */
  async function make(...files: (string | [file: string, text: string])[]): Promise<void> {
    for (const file of files) {
      const [name, text] = typeof file === 'string' ? [file, ''] : file;
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), text);
    }
  }

  it('labels the sorted class folders and counts their images', async () => {
    await make('train/dog/2.JPG', 'train/dog/10.png', 'train/Zebra/a.webp', 'train/cat/b.jpeg', 'train/cat/notes.txt');
    await make('val/dog/v.jpg', 'val/cat/v.jpg', 'val/Zebra/v.jpg', 'val/dog/.hidden.jpg', 'val/readme.md');
    const { classes, splits, notes } = await openImageFolder(root);
    expect(classes.map(({ folder }) => folder)).toEqual(['Zebra', 'cat', 'dog']); // as Python sorts
    const train = splits.get('train')!;
    expect(train.counts).toEqual([1, 1, 2]);
    expect(train.samples).toEqual([
      { file: join(root, 'train/Zebra/a.webp'), label: 0 },
      { file: join(root, 'train/cat/b.jpeg'), label: 1 },
      { file: join(root, 'train/dog/10.png'), label: 2 },
      { file: join(root, 'train/dog/2.JPG'), label: 2 },
    ]);
    expect(splits.get('val')!.counts).toEqual([1, 1, 1]);
    expect(notes).toEqual([
      `${join(root, 'train')}: 1 files are no images of a class that are read, the first one ${join('cat', 'notes.txt')}`,
      `${join(root, 'val')}: 1 files are no images of a class that are read, the first one readme.md`,
    ]);
  });

  it('finds images in folders of a class, in the order of torchvision', async () => {
    await make(
      'train/cat/b.jpg',
      'train/cat/a/z.jpg',
      'train/cat/a/b/é.jpg',
      'train/cat/.trash/x.jpg',
      'train/dog/1.jpg',
    );
    const { samples } = requireSplit(await openImageFolder(root), 'train');
    const files = ['cat/b.jpg', 'cat/a/z.jpg', 'cat/a/b/é.jpg', 'dog/1.jpg'];
    expect(samples.map(({ file }) => file)).toEqual(files.map((file) => join(root, 'train', file)));
  });

  it('holds a share of each class out, by the names of the images', async () => {
    const files = Array.from({ length: 10 }, (_, i) => [`train/cat/${i}.jpg`, `train/dog/${i}.jpg`]).flat();
    await make(...files, 'train/eel/only.jpg');
    const folder = await openImageFolder(root);
    const split = requireSplit(folder, 'train');
    const part = { share: 0.2, seed: 4 };
    const validation = partOfSplit(folder, split, { ...part, take: 'validation' });
    const training = partOfSplit(folder, split, { ...part, take: 'training' });
    expect([split.counts, training.counts, validation.counts]).toEqual([
      [10, 10, 1],
      [8, 8, 1],
      [2, 2, 0],
    ]);
    expect([...training.samples, ...validation.samples].map(({ file }) => file).sort()).toEqual(
      split.samples.map(({ file }) => file).sort(),
    );
    const reversed = { ...split, samples: [...split.samples].reverse() };
    expect(partOfSplit(folder, reversed, { ...part, take: 'validation' }).samples.length).toBe(4);
    expect(new Set(partOfSplit(folder, reversed, { ...part, take: 'validation' }).samples)).toEqual(
      new Set(validation.samples),
    );
  });

  it('tells names that differ in capital letters alone', async () => {
    await make('train/cat/a.jpg', 'train/Cat/a.jpg', 'val/cat/v.jpg', 'val/Cat/v.jpg');
    expect((await openImageFolder(root)).notes[0]).toBe(
      `${join(root, 'train')}: 'Cat' and 'cat' are two classes, whose names differ in capital letters alone`,
    );
    await rm(join(root, 'val/Cat'), { recursive: true });
    await make('val/dog/v.jpg');
    await expect(openImageFolder(root)).rejects.toThrow("lacks 1 of the 2 classes in 'train': 'Cat' (it has 'cat')");
  });

  it('counts classes of a list that a split has no images of, and takes a list with a byte order mark', async () => {
    const list = '\ufeff' + JSON.stringify(['cat', 'dog', 'eel'].map((folder, index) => ({ index, folder })));
    await make('train/cat/a.jpg', 'train/dog/a.jpg', 'val/cat/v.jpg', ['classes.json', list]);
    expect((await openImageFolder(root)).notes).toEqual([
      "train: has no images of 1 of the 3 classes of classes.json, the first one 'eel'",
      "val: has no images of 2 of the 3 classes of classes.json, the first one 'dog'",
    ]);
  });

  it('takes a single split, and folders behind links', async () => {
    await make('val/cat/v.jpg', 'elsewhere/w.jpg');
    await symlink(join(root, 'elsewhere'), join(root, 'val/dog'));
    const folder = await openImageFolder(root);
    expect([...folder.splits.keys()]).toEqual(['val']);
    expect(requireSplit(folder, 'val').counts).toEqual([1, 1]);
    expect(() => requireSplit(folder, 'train')).toThrow(`${root}: expected a split 'train', found val`);
  });

  it('takes splits of other names when told', async () => {
    await make('fold-1/cat/v.jpg', 'fold-2/cat/v.jpg', 'fold-2/dog/v.jpg');
    expect([...(await openImageFolder(root, { splits: ['fold-2'] })).splits.keys()]).toEqual(['fold-2']);
  });

  it('needs two classes, as a class tells nothing alone', async () => {
    await make('val/cat/v.jpg');
    await expect(openImageFolder(root)).rejects.toThrow(`${root}: expected two classes or more, found 1`);
  });

  it('labels by a class list, which may know more classes', async () => {
    await make('val/n02/v.jpg', [
      'list.json',
      '[{"index":1,"wnid":"n02","name":"shark"},{"index":0,"wnid":"n01","name":"tench"}]',
    ]);
    const { classes, splits } = await openImageFolder(root, { classIndex: join(root, 'list.json') });
    expect(classes).toEqual([
      { index: 0, folder: 'n01', name: 'tench' },
      { index: 1, folder: 'n02', name: 'shark' },
    ]);
    expect(splits.get('val')).toMatchObject({ counts: [0, 1], samples: [{ label: 1 }] });
  });

  it('finds a class list beside the splits, in the layouts there are', async () => {
    await make('val/n01/v.jpg', ['classes.txt', 'n01 great white shark\nn02\n']);
    expect((await openImageFolder(root)).classes).toEqual([
      { index: 0, folder: 'n01', name: 'great white shark' },
      { index: 1, folder: 'n02', name: 'n02' },
    ]);
    await make(['classes.json', '{"0":["n02","goldfish"],"1":["n01","tench"]}']);
    expect((await openImageFolder(root)).splits.get('val')!.samples).toMatchObject([{ label: 1 }]);
  });

  it.each<[string, (string | [string, string])[], string]>([
    ['an empty folder', [], "expected a folder 'train' or 'val', found no folder"],
    ['other folders', ['images/cat/v.jpg'], "expected a folder 'train' or 'val', found images"],
    ['a split without classes', ['train/readme.md'], 'has no images; expected a folder for each class'],
    [
      'an empty class',
      ['train/cat/v.jpg', 'train/dog/v.bmp'],
      "class 'dog' has no images (.jpg, .jpeg, .jfif, .png, .webp, .gif, .tif, .tiff)",
    ],
    [
      'a class missing in val',
      ['train/cat/1.jpg', 'train/dog/1.jpg', 'val/cat/1.jpg'],
      "lacks 1 of the 2 classes in 'train': 'dog'",
    ],
    [
      'a class missing in train',
      ['train/cat/1.jpg', 'val/dog/1.jpg', 'val/cat/1.jpg'],
      "lacks 1 of the 2 classes in 'val': 'dog'",
    ],
    ['an unlisted class', ['val/cat/1.jpg', ['classes.txt', 'dog']], "class 'cat' is not in classes.txt (1 classes)"],
    [
      'a hole in the list',
      ['val/a/1.jpg', ['classes.json', '{"0":["a"],"2":["b"]}']],
      'expected labels 0 to 1, received 2 as number 1',
    ],
    ['a folder listed twice', ['val/a/1.jpg', ['classes.txt', 'a\na']], "folder 'a' is listed twice"],
    [
      'a list of something else',
      ['val/a/1.jpg', ['classes.json', '["a"]']],
      'expected index, wnid and name, received "a" as entry 0',
    ],
    ['a list that is no JSON', ['val/a/1.jpg', ['classes.json', '[1,']], 'classes.json: is not JSON'],
  ])('names the place of %s', async (_, files, message) => {
    await make(...files);
    const error: unknown = await openImageFolder(root).catch((reason: unknown) => reason);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).toContain(root);
  });

  it('names a folder that is not there or cannot be read', async () => {
    await expect(openImageFolder(join(root, 'gone'))).rejects.toThrow(`${join(root, 'gone')}: no such folder`);
    await make('val/cat/v.jpg');
    await expect(openImageFolder(root, { splits: ['test'] })).rejects.toThrow(`${join(root, 'test')}: no such folder`);
    await expect(openImageFolder(join(root, 'val/cat/v.jpg'))).rejects.toThrow('is not a folder');
    await symlink('nowhere.json', join(root, 'classes.json'));
    await expect(openImageFolder(root)).rejects.toThrow(/classes\.json: cannot be opened: no such file or folder$/);
    await rm(join(root, 'classes.json'));
    await symlink('circle', join(root, 'val/circle'));
    await expect(openImageFolder(root)).rejects.toThrow(/val.circle: symbolic links lead in a circle$/);
  });

  (process.getuid?.() === 0 ? it.skip : it)('names a folder without permission (not as root)', async () => {
    await make('val/cat/v.jpg');
    await chmod(join(root, 'val/cat'), 0);
    await expect(openImageFolder(root)).rejects.toThrow('cat: no permission to read it');
    await chmod(join(root, 'val/cat'), 0o700);
  });
});

describeWith(dataFolder(), 'openImageFolder on real images', (data) => {
  it('gives the official labels of 60 ImageNet classes', async () => {
    const folder = await openImageFolder(join(data, 'imagenet'), { classIndex: join(data, 'lists/imagenet1000.json') });
    const { samples, counts } = requireSplit(folder, 'val');
    expect(folder.classes).toHaveLength(1000);
    expect(samples).toHaveLength(60);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(60);
    expect(folder.classes[samples[1]!.label]).toEqual({ index: 18, folder: 'n01582220', name: 'magpie' });
  });
});
