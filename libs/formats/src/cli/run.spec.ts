/** The command as it is typed: counts, exit codes, one line an error. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pictureOf, removeTemporaryFolders, temporaryFolder, writeFiles } from '../testing/sets';
import { run } from './run';

afterEach(removeTemporaryFolders);

async function type(args: readonly string[]) {
  const lines: string[] = [];
  const errors: string[] = [];
  const spy = jest.spyOn(process.stderr, 'write').mockImplementation((text) => errors.push(String(text)) > 0);
  try {
    return { code: await run(args, (line) => lines.push(line)), lines, error: errors.join('') };
  } finally {
    spy.mockRestore();
  }
}

describe('pyramidal-data convert', () => {
  it('reports what went in and came out', async () => {
    const folder = temporaryFolder();
    const picture = await pictureOf({ width: 20, height: 10 });
    writeFiles(folder, {
      'in/data.yaml': 'train: images/train\nval: images/val\nnames: [cat, dog]',
      'in/images/train/a.png': picture,
      'in/images/train/b.png': picture,
      'in/images/val/c.png': picture,
      'in/labels/train/a.txt': '1 0.5 0.5 1 1\n0 0 0 1 0 1 1\n',
    });
    const [source, out, report] = ['in/data.yaml', 'out', 'report.json'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const { code, lines } = await type(['convert', source, out, '--from', 'yolo', '--report', report]);
    expect(code).toBe(0);
    const train = 'train: 2 images (1 without objects), 2 objects (1 with masks)';
    const val = 'val: 1 images (1 without objects), 0 objects (0 with masks)';
    expect(lines).toEqual([
      `${source}: yolo, ${train}`,
      `${source}: yolo, ${val}`,
      `${out}: coco, ${train}`,
      `${out}: coco, ${val}`,
      '2 classes: cat, dog',
    ]);
    expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({
      lost: { image: 0, object: 0, mask: 0 },
      records: [],
    });
  });

  it('ends with 1 and one line where something would be left out, and lists it in the report', async () => {
    const folder = temporaryFolder();
    writeFiles(folder, {
      'data.yaml': 'train: images\nnames: [cat]',
      'images/a.png': await pictureOf({ width: 20, height: 10 }),
      'labels/a.txt': '0 0.5 0.5 0 0\n',
    });
    const report = join(folder, 'report.json');
    const { code, error } = await type(['convert', folder, join(folder, 'out'), '--from', 'yolo', '--report', report]);
    expect([code, error.trimEnd().split('\n').length]).toEqual([1, 1]);
    expect(error).toContain('1 object is not carried over: box: has no area');
    expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({
      records: [
        { kind: 'object', file: join(folder, 'labels/a.txt'), record: 'line 1', field: 'box', reason: 'has no area' },
      ],
    });
  });

  it.each([
    ['no format', ['convert', 'a', 'b'], "required option '--from <format>' not specified"],
    ['an unknown format', ['convert', 'a', 'b', '--from', 'yolo9'], "argument 'yolo9' is invalid"],
    ['no folder', ['convert', 'a', '--from', 'voc'], "missing required argument 'out'"],
  ])('ends with 2 for %s', async (_, args, message) => {
    const { code, error } = await type(args);
    expect([code, error.trimEnd().split('\n').length]).toEqual([2, 1]);
    expect(error).toContain(message);
  });

  it('ends with 1 for a file that is not there', async () => {
    const folder = temporaryFolder();
    const { code, error } = await type(['convert', join(folder, 'none'), join(folder, 'out'), '--from', 'cvat']);
    expect([code, error]).toEqual([1, expect.stringContaining('none: cannot be opened: no such file or folder')]);
  });
});
