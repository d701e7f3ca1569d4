import { type RgbImage, blankImage, decodeImage, encodeImage } from '@pyramidal/images';
import sharp from 'sharp';
import { confusionMatrixPicture } from './confusion-matrix';
import { drawAnnotations, tintMask } from './draw';
import { enlargeSmall } from './enlarge';
import { addLegend } from './legend';
import { lineChartPicture } from './line-chart';
import { PALETTE } from './palette';

const white = (width: number, height: number) => blankImage({ width, height }, [255, 255, 255]);
const pixel = ({ data, width }: RgbImage, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3).subarray(0, 3),
];
const count = (image: RgbImage, colour: readonly number[]) => {
  let found = 0;
  for (let i = 0; i < image.data.length; i += 3)
    found += Number(colour.every((value, c) => image.data[i + c] === value));
  return found;
};

describe('drawAnnotations', () => {
  it('draws a box with its label above, on the picture itself', async () => {
    const image = white(320, 320);
    const drawn = await drawAnnotations(image, [{ box: [50, 60, 150, 200], label: 'cat 0.9', colour: [200, 0, 0] }]);
    expect(pixel(drawn, 100, 60)).toEqual([200, 0, 0]);
    expect(pixel(drawn, 50, 130)).toEqual([200, 0, 0]);
    expect(pixel(drawn, 100, 130)).toEqual([255, 255, 255]);
    expect(pixel(drawn, 51, 56)[1]).toBeLessThan(60); // the plate
    expect(drawn).toBe(image);
  });

  it('keeps labels inside the picture', async () => {
    const plain = { width: 120, height: 40 };
    for (const box of [
      [0, 0, 20, 20],
      [110, 30, 119, 39],
      [-50, -50, 10, 10],
    ] as const) {
      const drawn = await drawAnnotations(blankImage(plain), [{ box, label: 'a dog', colour: [0, 255, 0] }]);
      expect(count(drawn, [255, 255, 255]) + count(drawn, [0, 217, 0])).toBeGreaterThan(300);
    }
  });

  it('draws a large picture in strips, of which nothing is seen', async () => {
    const [width, height] = [2000, 2500];
    const drawn = await drawAnnotations(white(width, height), [{ box: [100, 50, 900, 2400], colour: [200, 0, 0] }]);
    const column = Array.from({ length: 2340 }, (_, y) => pixel(drawn, 100, 55 + y).join());
    expect(new Set(column)).toEqual(new Set(['200,0,0']));
    const row = Array.from({ length: 700 }, (_, x) => pixel(drawn, 150 + x, 1000).join());
    expect(new Set(row)).toEqual(new Set(['255,255,255']));
  });

  it('cuts names that are longer than any picture is wide', async () => {
    const labelled = (length: number) =>
      drawAnnotations(white(400, 200), [{ label: 'x'.repeat(length), colour: [200, 0, 0] }]);
    expect(await labelled(1_000_000)).toEqual(await labelled(81));
  });

  it('draws outlines, and thin lines around small objects', async () => {
    const outlines = [[40, 40, 280, 40, 280, 280, 40, 280]];
    const drawn = await drawAnnotations(white(320, 320), [
      { outlines, colour: [200, 0, 0] },
      { box: [100, 100, 108, 108], colour: [0, 0, 200] },
    ]);
    expect([pixel(drawn, 160, 40), pixel(drawn, 40, 160)]).toEqual([[200, 0, 0], [200, 0, 0]]); // prettier-ignore
    const inside = Array.from({ length: 36 }, (_, i) => pixel(drawn, 101 + (i % 6), 101 + Math.floor(i / 6)).join());
    expect(inside.filter((colour) => colour === '255,255,255').length).toBeGreaterThan(24);
  });

  it('adds the legend only where labels were left out', async () => {
    const legend = [{ name: 'cat 2', colour: [200, 0, 0] }] as const;
    const annotations = Array.from({ length: 12 }, (_, i) => ({ box: [0, 0, 100, 20], label: `cat ${i}`, colour: [200, 0, 0] }) as const); // prettier-ignore
    const few = await drawAnnotations(white(100, 60), annotations.slice(0, 1), legend);
    const many = await drawAnnotations(white(100, 60), annotations, legend);
    const plain = await drawAnnotations(white(100, 60), annotations);
    expect([few.width, plain.width]).toEqual([100, 100]);
    expect(many.width).toBe(210);
    const swatch = pixel(many, 108, 9);
    expect(swatch).toEqual([200, 0, 0]);
  });

  it('gives an equal picture for no annotations', async () => {
    expect(await drawAnnotations(white(9, 7), [])).toEqual(white(9, 7));
  });
});

describe('tintMask', () => {
  it('mixes the colour into the masked pixels only', () => {
    const image = white(2, 1);
    tintMask(image, Uint8Array.of(0, 1), [55, 155, 0], 0.5);
    expect([...image.data]).toEqual([255, 255, 255, 155, 205, 128]);
    expect(() => tintMask(white(2, 2), new Uint8Array(3), [0, 0, 0])).toThrow('a mask of 2x2 values, received 3');
  });
});

describe('enlargeSmall', () => {
  it('makes small pictures a whole number of times larger, and leaves others alone', () => {
    expect(enlargeSmall(white(100, 60))).toMatchObject({ width: 400, height: 240 });
    expect(enlargeSmall(white(1, 1))).toMatchObject({ width: 320, height: 320 });
    const picture = white(200, 320);
    expect(enlargeSmall(picture)).toBe(picture);
  });
});

describe('addLegend', () => {
  const entries = Array.from({ length: 30 }, (_, i) => ({ name: `class ${i}`, colour: [0, 8 * i, 255] as const }));

  it('keeps the picture, and names as many colours as have room', async () => {
    const picture = white(60, 40);
    picture.data.fill(7);
    const sheet = await addLegend(picture, entries);
    expect(sheet.height).toBeGreaterThan(100); // eight rows
    expect([pixel(sheet, 0, 0), pixel(sheet, 59, 39)]).toEqual([[7, 7, 7], [7, 7, 7]]); // prettier-ignore
    expect(count(sheet, entries[0]!.colour)).toBe(100);
    expect(count(sheet, entries[6]!.colour)).toBe(100);
    expect(count(sheet, entries[7]!.colour)).toBe(0); // the eighth row tells how many more there are
    expect(await addLegend(picture, [])).toMatchObject({ width: sheet.width, height: sheet.height });
  });
});

describe('encodeImage', () => {
  it.each(['png', 'jpeg', 'webp'] as const)('writes %s', async (format) => {
    const bytes = await encodeImage(white(5, 4), format);
    expect(await sharp(bytes).metadata()).toMatchObject({ format, width: 5, height: 4 });
  });

  it('keeps every pixel in a PNG', async () => {
    const data = Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * 7919) >> 4);
    const picture = { data, width: 40, height: 30 };
    expect(Buffer.from((await decodeImage(await encodeImage(picture, 'png'))).data).equals(data)).toBe(true);
  });
});

describe('confusionMatrixPicture', () => {
  const dark = [8, 48, 107];
  const pale = [247, 250, 253];

  it('colours each cell by its share of the row', async () => {
    const picture = await decodeImage(
      await confusionMatrixPicture(
        [
          [9, 0],
          [0, 7],
        ],
        ['cat', 'dog'],
      ),
    );
    // Two dark and two pale cells of 44 pixels, less the numbers and the frame.
    for (const colour of [dark, pale]) {
      expect(count(picture, colour)).toBeGreaterThan(2 * 40 * 40 * 0.8);
      expect(count(picture, colour)).toBeLessThanOrEqual(2 * 44 * 44);
    }
  });

  it('shows a thousand classes, and classes without images', async () => {
    const counts = Array.from({ length: 1000 }, (_, i) =>
      Uint32Array.from({ length: 1000 }, (_, j) => Number(i === j && i > 0)),
    );
    const picture = await decodeImage(
      await confusionMatrixPicture(
        counts,
        counts.map((_, i) => `class ${i}`),
      ),
    );
    expect(picture.width).toBeGreaterThan(1000);
    expect(count(picture, dark)).toBeGreaterThan(990);
  });

  it.each([
    ['one class', [[123456]], ['a']],
    [
      'two classes',
      [
        [123456, 3],
        [7, 98765],
      ],
      ['no', 'yes'],
    ],
    [
      'two classes of long names',
      [
        [1, 0],
        [0, 1],
      ],
      ['a class with a long name', 'another class'],
    ],
  ])('has room for its title and its axes with %s', async (_, counts, names) => {
    const { data, width, height } = await decodeImage(await confusionMatrixPicture(counts, names));
    const isWhite = (x: number, y: number) => pixel({ data, width, height }, x, y).every((value) => value === 255);
    for (let x = 0; x < width; x++)
      for (const y of [0, 2, height - 2, height - 1]) expect([x, y, isWhite(x, y)]).toEqual([x, y, true]);
    for (let y = 0; y < height; y++)
      for (const x of [0, 2, width - 2, width - 1]) expect([x, y, isWhite(x, y)]).toEqual([x, y, true]);
  });

  it('refuses a matrix that does not fit its names', async () => {
    await expect(confusionMatrixPicture([[1]], ['a', 'b'])).rejects.toThrow(
      'expected 2 rows and columns, received 1 rows',
    );
  });
});

describe('lineChartPicture', () => {
  const labels = { title: 'Loss', xLabel: 'epoch', yLabel: 'loss' };

  it('draws a curve through its points', async () => {
    const points = [
      [0, 0],
      [5, 5],
      [10, 10],
    ] as const;
    const picture = await decodeImage(await lineChartPicture({ ...labels, series: [{ name: 'train', points }] }));
    expect(picture).toMatchObject({ width: 880, height: 480 });
    const middle = pixel(picture, 470, 240);
    PALETTE[0]!.forEach((value, c) => expect(Math.abs(middle[c]! - value)).toBeLessThan(30));
    expect(pixel(picture, 300, 100)).toEqual([255, 255, 255]);
  });

  it('places factors at equal distances, and leaves out what has no logarithm', async () => {
    const points = [
      [0, 0.01],
      [5, 0],
      [10, 100],
    ] as const;
    const series = [{ name: 'train', points }];
    const picture = await decodeImage(await lineChartPicture({ ...labels, series, isLogarithmic: true }));
    // Through 1 in the middle, which stands halfway up.
    PALETTE[0]!.forEach((value, c) => expect(Math.abs(pixel(picture, 470, 240)[c]! - value)).toBeLessThan(30));
    const rows = [416, 328, 240, 152, 64].map((y) => pixel(picture, 860 - 10, y).join());
    expect(new Set(rows.slice(0, 4).map((row) => row !== '255,255,255'))).toEqual(new Set([true])); // powers of ten
  });

  it.each([
    ['no series', []],
    ['no points', [{ name: 'a', points: [] }]],
    ['a single point', [{ name: 'a', points: [[3, 4]] as const }]],
    [
      'a flat line',
      [
        {
          name: 'a',
          points: [
            [0, 1],
            [1, 1],
          ] as const,
        },
      ],
    ],
    [
      'a gap',
      [
        {
          name: 'a',
          points: [
            [0, 1],
            [1, Number.NaN],
            [2, 3],
          ] as const,
        },
      ],
    ],
  ])('copes with %s', async (_, series) => {
    const picture = await decodeImage(await lineChartPicture({ ...labels, series }));
    expect(count(picture, [31, 41, 55])).toBeGreaterThan(500); // axes and text
  });
});
