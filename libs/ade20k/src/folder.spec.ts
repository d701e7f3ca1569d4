/** Which images and labels of a folder belong to a split, and its classes. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluationItems } from './batches';
import { classesOf, openSegmentationFolder, partOfSplit } from './folder';
import { CODING as coding, EVALUATION, makeToySet, type ToySet } from './testing/toy-set';

let toy: ToySet;
let root: string;

beforeAll(async () => {
  toy = await makeToySet();
  ({ root } = toy);
});
afterAll(() => toy.remove());

(process.platform === 'win32' ? it.skip : it)('takes folders and files behind links', async () => {
  const linked = await mkdtemp(join(tmpdir(), 'linked-'));
  for (const kind of ['images', 'annotations']) {
    await mkdir(join(linked, kind, 'one'), { recursive: true });
    await symlink(join(root, kind, 'training'), join(linked, kind, 'all'));
    const file = `3.${kind === 'images' ? 'jpg' : 'png'}`;
    await symlink(join(root, kind, 'training', file), join(linked, kind, 'one', file));
  }
  const { splits } = await openSegmentationFolder(linked, { splits: ['all', 'one'] });
  expect([...splits.values()].map((split) => split.samples.length)).toEqual([5, 1]);
  await rm(linked, { recursive: true });
});

describe('classes.json', () => {
  it.each([
    ['{', /classes\.json: is not JSON/],
    ['sky', /expected a list of 2 to 255 classes, received 1/],
    ['', /expected a list of 2 to 255 classes, received 0/],
    ['[]', /expected a list of 2 to 255 classes, received 0/],
    ['["wall"]', /expected a list of 2 to 255 classes, received 1/],
    ['["a", 3]', /received 3 as entry 1/],
    ['[{ "name": "a", "colour": [1, 2, 300] }, "b"]', /as entry 0/],
  ])('a class list of %s', async (text, message) => {
    const classList = join(root, 'wrong-classes.json');
    await writeFile(classList, text);
    await expect(openSegmentationFolder(root, { splits: ['training'], classList })).rejects.toThrow(message);
  });
});

it('reads classes of a text file, a name on each line, also beside the splits', async () => {
  const own = await mkdtemp(join(tmpdir(), 'listed-'));
  const classList = join(own, 'classes.txt');
  await writeFile(classList, '\ufeffsky\r\n\n  traffic light \r\n');
  for (const opened of [
    openSegmentationFolder(own, { splits: [] }),
    openSegmentationFolder(root, { splits: [], classList }),
  ]) {
    const { classes, isDefaultClasses } = await opened;
    expect(classes.map(({ name }) => name)).toEqual(['sky', 'traffic light']);
    expect(isDefaultClasses).toBe(false);
  }
  await rm(own, { recursive: true });
});

it('does not take the classes of ADE20K where its own list is a link that leads nowhere', async () => {
  const bare = await mkdtemp(join(tmpdir(), 'ade20k-'));
  await symlink('nowhere.json', join(bare, 'classes.json'));
  await expect(classesOf(bare)).rejects.toThrow(/classes\.json: cannot be opened: no such file or folder$/);
  await rm(bare, { recursive: true });
});

it('finds images in folders of a split, and their labels in folders of the same names', async () => {
  await toy.writePair('nested', 'b', 0);
  await toy.writePair('nested/town one', 'b', 1);
  await toy.writePair('nested/town one/ünal', 'a', 2);
  await toy.writePair('nested/.trash', 'c', 3);
  const { samples } = (await openSegmentationFolder(root, { splits: ['nested'] })).splits.get('nested')!;
  expect(samples.map(({ name }) => name)).toEqual(['b', 'town one/b', 'town one/ünal/a']);
  expect(samples[2]).toMatchObject({
    image: join(root, 'images/nested/town one/ünal/a.jpg'),
    label: join(root, 'annotations/nested/town one/ünal/a.png'),
  });
  const items = evaluationItems({ samples, coding, transform: EVALUATION });
  for await (const { original } of items) expect(original).toEqual({ width: 40, height: 30 });
});

it('holds a share out by the names of the images, the same wherever the data lies', async () => {
  for (let i = 0; i < 8; i++) await toy.writePair('whole', `${i}`, i);
  const split = (await openSegmentationFolder(root, { splits: ['whole'] })).splits.get('whole')!;
  const namesOf = (take: 'training' | 'validation') =>
    partOfSplit(split, { share: 0.25, seed: 1, take }).samples.map(({ name }) => name);
  expect(namesOf('validation')).toHaveLength(2);
  expect([...namesOf('validation'), ...namesOf('training')].sort()).toEqual(split.samples.map(({ name }) => name));
  const moved = split.samples.map((sample) => ({ ...sample, image: `/elsewhere/${sample.name}` })).reverse();
  const again = partOfSplit({ ...split, samples: moved }, { share: 0.25, seed: 1, take: 'validation' });
  expect(again.samples.map(({ name }) => name).sort()).toEqual(namesOf('validation'));
});

it('counts files that are left out of a split', async () => {
  await toy.writePair('leftovers', 'x', 1);
  await writeFile(join(root, 'images/leftovers/y.bmp'), 'BM');
  await writeFile(join(root, 'annotations/leftovers/z.png'), '');
  await writeFile(join(root, 'images/leftovers/x.jfif'), '');
  const { splits } = await openSegmentationFolder(root, { splits: ['leftovers'] });
  expect(splits.get('leftovers')!.notes).toEqual([
    `${join(root, 'images/leftovers')}: 1 files share their name, and so their label, with another, the first one x.jpg`,
    `${join(root, 'images/leftovers')}: 1 files are no images that are read, the first one y.bmp`,
    `${join(root, 'annotations/leftovers')}: 1 files are labels of no image, the first one z.png`,
  ]);
});

it('reads a class list with a byte order mark', async () => {
  const classList = join(root, 'bom.json');
  await writeFile(classList, '\ufeff["a", "b"]');
  const { classes } = await openSegmentationFolder(root, { splits: ['training'], classList });
  expect(classes.map(({ name }) => name)).toEqual(['a', 'b']);
});
