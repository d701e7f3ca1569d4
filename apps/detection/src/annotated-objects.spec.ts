import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnnotatedObjects } from './annotated-objects';

const SIZE = { width: 8, height: 4 };
const TRUTH = {
  images: [{ id: 5, file_name: 'val/a.jpg', ...SIZE }, { id: 6, file_name: 'b.jpg', ...SIZE }], // prettier-ignore
  categories: [{ id: 3, name: 'cat' }, { id: 9, name: 'dog' }], // prettier-ignore
  annotations: [
    { id: 1, image_id: 5, category_id: 9, bbox: [1, 1, 2, 2], area: 4, iscrowd: 0, segmentation: [[1, 1, 3, 1, 3, 3, 1, 3]] }, // prettier-ignore
    { id: 2, image_id: 5, category_id: 3, bbox: [0, 0, 1, 1], area: 1, iscrowd: 0 },
  ],
};

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'truth-'));
  file = join(folder, 'val.json');
  writeFileSync(file, JSON.stringify(TRUTH));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('gives the objects of the classes that are known, by the name of the image', () => {
  const truth = new AnnotatedObjects(file, ['x/a.jpg', 'b.jpg'], [{ categoryId: 9, name: 'dog' }]);
  expect(truth.of('x/a.jpg', SIZE)).toEqual([
    { label: 0, box: [1, 1, 3, 3], mask: { size: [4, 8], counts: expect.any(String) } },
  ]);
  expect(truth.of('b.jpg', SIZE)).toEqual([]);
});

it('names the first image that it does not have', () => {
  expect(() => new AnnotatedObjects(file, ['a.jpg', 'c.jpg'], [])).toThrow(
    `--truth ${file}: expected an image named 'c.jpg'`,
  );
});

it('refuses what training and evaluation refuse, and more objects than can be drawn', () => {
  const other = join(folder, 'other.json');
  const [first] = TRUTH.annotations;
  const read = (annotations: readonly object[]) => {
    writeFileSync(other, JSON.stringify({ ...TRUTH, annotations }));
    return () => new AnnotatedObjects(other, ['a.jpg'], []);
  };
  expect(read([{ ...first, iscrowd: '0' }])).toThrow(`${other}: annotations[0] (id 1): iscrowd: expected 0 or 1`);
  expect(read([{ ...first, bbox: 'x' }])).toThrow(`${other}: annotations[0] (id 1): bbox: expected 4 finite numbers`);
  expect(read(Array.from({ length: 10_001 }, (_, i) => ({ ...first, id: 1 + i })))).toThrow(
    'image 5: expected at most 10000 objects to draw, received 10001',
  );
});
