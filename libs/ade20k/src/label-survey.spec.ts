/** What is told of labels before a run. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blankImage, encodeImage } from '@pyramidal/images';
import { ade20kClasses } from './classes';
import { encodeLabels } from './label-file';
import { surveyLabels } from './label-survey';
import { palettePng } from './testing/palette-png';
import { CODING as coding, makeToySet, type ToySet } from './testing/toy-set';

let toy: ToySet;
let root: string;

beforeAll(async () => {
  toy = await makeToySet();
  ({ root } = toy);
});
afterAll(() => toy.remove());

describe('surveyLabels', () => {
  const options = { coding, orientation: 'exif', onBroken: 'fail' } as const;
  const classes = ['a', 'b', 'c'].map((name) => ({ name, colour: [0, 0, 0] as const }));
  const folder = () => ({ root, isDefaultClasses: false, classes });
  const ade20k = () => ({ root, isDefaultClasses: true, classes: ade20kClasses() });
  let number = 0;

  /** A split of one image with these stored values. */
  async function splitOf(values: readonly number[], { width = values.length, extension = 'png' } = {}) {
    const name = `survey-${number++}`;
    const [image, label] = [join(root, `${name}.jpg`), join(root, `${name}.${extension}`)];
    const size = { width, height: values.length / width };
    await writeFile(image, await encodeImage(blankImage({ width: values.length, height: 1 }), 'jpeg'));
    await writeFile(label, await encodeLabels({ data: Uint8Array.from(values), ...size }, { classes: 255, reduceZeroLabel: false })); // prettier-ignore
    return { name, samples: [{ name, image, label }], notes: [] };
  }

  it('says what trains, and nothing else of labels as the settings say', async () => {
    const split = await splitOf([0, 1, 2, 3, 255, 3, 3, 0]);
    expect(await surveyLabels(folder(), split, options)).toEqual([
      `${split.name}: 1 labels hold 3 of 3 classes: c 37.5%, a 12.5%, b 12.5%; 37.5% unlabelled`,
    ]);
    const from0 = { ...options, coding: { classes: 3, reduceZeroLabel: false } };
    const other = await splitOf([0, 2, 2, 2]);
    expect(await surveyLabels(folder(), other, from0)).toEqual([
      `${other.name}: 1 labels hold 2 of 3 classes: c 75.0%, a 25.0%; 0.0% unlabelled; never: b`,
    ]);
  });

  it('names the setting where labels look as if they began with class 0', async () => {
    const split = await splitOf([0, 1, 2]);
    expect(await surveyLabels(folder(), split, options)).toEqual([
      expect.stringContaining('never: c'),
      `${split.name}: labels hold values 0 to 2 for 3 classes, and 0 counts as unlabelled; ` +
        'if 0 is the first class, set data.reduceZeroLabel: false',
    ]);
  });

  it("says that ADE20K's classes are learned where no list names others", async () => {
    const split = await splitOf([0, 1, 2]);
    const ade = { ...options, coding: { classes: 150, reduceZeroLabel: true } };
    expect(await surveyLabels(ade20k(), split, ade)).toEqual([
      expect.stringMatching(
        /hold 2 of 150 classes: wall 33.3%, building 33.3%; .*; never: sky, floor, .* and 140 more$/,
      ),
      expect.stringContaining('labels hold values up to 2, and without'),
    ]);
    expect(await surveyLabels(ade20k(), await splitOf([0, 120]), ade)).toHaveLength(1);
  });

  it('refuses labels without a class, values that are none, and another size, before a run', async () => {
    await expect(surveyLabels(folder(), await splitOf([0, 255]), options)).rejects.toThrow(
      'expected labels with a class, received pixels of 0 or 255, which are unlabelled (data.reduceZeroLabel: true) alone',
    );
    await expect(surveyLabels(folder(), await splitOf([1, 4]), options)).rejects.toThrow(
      'expected label values from 0 to 3 or 255 for 3 classes, received 4 at (1, 0)',
    );
    await expect(surveyLabels(folder(), await splitOf([1, 2, 1, 2], { width: 2 }), options)).rejects.toThrow(
      /expected 2x2 pixels as .*survey-\d+\.png has, received 4x1/,
    );
  });

  it('counts palettes, and passes over broken labels where such are skipped', async () => {
    const split = await splitOf([1, 2, 1]);
    await writeFile(split.samples[0]!.label, palettePng([1, 2, 1], 3, 8));
    expect(await surveyLabels(folder(), split, options)).toEqual([
      expect.stringContaining('1 labels hold 2 of 3 classes'),
      `${split.name}: 1 of 1 labels have a palette; its indices are read, not its colours`,
    ]);
    const broken = {
      ...split,
      samples: [...split.samples, { name: 'x', image: 'x.jpg', label: join(root, 'gone.png') }],
    };
    await expect(surveyLabels(folder(), broken, options)).rejects.toThrow('gone.png');
    expect(await surveyLabels(folder(), broken, { ...options, onBroken: 'skip' })).toEqual([
      expect.stringContaining('1 of 2 labels, the ones looked at, hold'),
      expect.stringContaining('palette'),
    ]);
  });
});
