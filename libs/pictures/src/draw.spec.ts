import { type RgbImage, blankImage, decodeImage, encodeImage } from '@pyramidal/images';
import sharp from 'sharp';
import { confusionMatrixPicture } from './confusion-matrix';
import { drawAnnotations, tintMask } from './draw';
import { svgText, textWidth } from './glyphs';
import { lineChartPicture } from './line-chart';

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

describe('svgText', () => {
  const ascii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
  const unknown = svgText('\u4e00', { x: 0, y: 0, size: 12, colour: 'black' });

  it.each(ascii)('has a glyph of its own for %j', (letter) => {
    const svg = svgText(letter, { x: 0, y: 0, size: 12, colour: 'black' });
    const others = ascii
      .filter((other) => other !== letter)
      .map((other) => svgText(other, { x: 0, y: 0, size: 12, colour: 'black' }));
    expect(svg).not.toBe(unknown);
    expect(others).not.toContain(svg);
  });

  it('drops accents, and is as wide as it says', () => {
    const style = { x: 0, y: 0, size: 12, colour: 'black' };
    expect(svgText('Café', style)).toBe(svgText('Cafe', style));
    expect(textWidth('H', 12)).toBeCloseTo(8);
    expect(textWidth('HH', 12) - textWidth('H', 12)).toBeCloseTo(11.2);
    expect(textWidth('', 12)).toBe(0);
  });
});

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
    expect(pixel(picture, 470, 240)[0]).toBeLessThan(45); // blue in the middle of the plot
    expect(pixel(picture, 470, 240)[2]).toBeGreaterThan(225);
    expect(pixel(picture, 300, 100)).toEqual([255, 255, 255]);
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
