import { delimiter, join } from 'node:path';
import { fittingText, renderText, svgText, textWidths } from './text';

const FIXTURES = join(__dirname, '..', 'fixtures');
const style = { size: 24, colour: [200, 30, 0] } as const;
const NOTHING = { width: 0, height: 0 };

beforeAll(() => {
  const fonts = ['noto-sans-sc-subset.ttf', 'noto-sans-arabic-subset.ttf'].map((file) => join(FIXTURES, file));
  process.env.PYRAMIDAL_FONT = fonts.join(delimiter);
});

describe('renderText', () => {
  it('draws the letters of the font that comes along, in the colour', async () => {
    const { data, width, height } = await renderText('cat 0.98', style);
    expect(height).toBe(17); // of figures
    expect(Math.abs(width - 86)).toBeLessThan(3); // hinting is the machine's
    const full = Array.from({ length: width * height }, (_, i) => data.slice(4 * i, 4 * i + 4)).filter(([, , , alpha]) => alpha === 255); // prettier-ignore
    expect(full.length).toBeGreaterThan(100);
    for (const pixel of full) expect([...pixel]).toEqual([200, 30, 0, 255]);
  });

  it('has a glyph of its own for every letter of Latin-1', async () => {
    const letters = Array.from({ length: 0x100 }, (_, i) => String.fromCharCode(i)).filter((letter) => /[\p{L}\p{N}\p{P}\p{S}]/u.test(letter)); // prettier-ignore
    const drawn = await Promise.all(letters.map((letter) => renderText(`|${letter}|`, style)));
    const shapes = new Set(drawn.map(({ data, width }) => `${width}:${Buffer.from(data).toString('base64')}`));
    expect(letters.length).toBeGreaterThan(180);
    expect(shapes.size).toBe(letters.length);
  });

  it('draws Chinese characters of a font that is named', async () => {
    const [person, cat] = await Promise.all(['人', '猫'].map((name) => renderText(name, style)));
    const ink = ({ data }: { readonly data: Uint8Array }) =>
      data.filter((alpha, i) => i % 4 === 3 && alpha > 128).length;
    expect(person!.width).toBeGreaterThan(18);
    expect(person!.width).toBeLessThanOrEqual(24);
    expect(ink(cat!)).toBeGreaterThan(1.5 * ink(person!)); // eleven strokes and two
  });

  it('joins Arabic letters, and sets them from the right', async () => {
    const letters = await textWidths([...'قطة'], 24);
    const [word, alone] = await textWidths(['قطة', 'ق ط ة'], 24);
    expect(word).toBeLessThan(alone!);
    expect(word).not.toBe(letters.reduce((sum, width) => sum + width, 0));
    // A stop ends the sentence at its left, where there is ink at the foot alone.
    const { data, width, height } = await renderText('قطة.', style);
    const column = (x: number) => Array.from({ length: height }, (_, y) => data[4 * (y * width + x) + 3]! > 0);
    const inUpperHalf = (x: number) => column(x).slice(0, height / 2).includes(true); // prettier-ignore
    expect([0, 1].map(inUpperHalf)).toEqual([false, false]);
    expect(column(1)).toContain(true);
  });

  it('draws nothing of nothing, and replaces what XML may not hold', async () => {
    for (const text of ['', ' ', '\u200b', '\u202e', '\n'])
      expect(await renderText(text, style)).toMatchObject(NOTHING);
    expect(await textWidths(['<b>&"</b>', 'a\u0000\ud800b'], 24)).toEqual([expect.any(Number), expect.any(Number)]);
  });

  it('names a font file that is missing', async () => {
    process.env.PYRAMIDAL_FONT = '/no/font.ttf';
    await jest.isolateModulesAsync(async () => {
      const { loadFonts } = await import('./text.js');
      await expect(loadFonts()).rejects.toThrow("PYRAMIDAL_FONT: expected font files, received '/no/font.ttf'");
    });
  });
});

describe('fittingText', () => {
  it('cuts each line at the room there is, and to nothing in none', async () => {
    const [whole] = await textWidths(['tabby cat'], 24);
    expect((await fittingText('tabby cat', whole!, style)).width).toBe(whole);
    const cut = await fittingText('tabby cat, tiger cat', whole!, style);
    expect(cut.width).toBeLessThanOrEqual(whole!);
    expect(cut.width).toBeGreaterThan(0.6 * whole!);
    expect(await fittingText('tabby', 2, style)).toMatchObject(NOTHING);
  });

  it('takes no longer for a name of a million characters', async () => {
    const drawn = [81, 1_000_000].map((length) => fittingText('x'.repeat(length), 5000, style));
    expect((await drawn[1]!).width).toBe((await drawn[0]!).width);
  });
});

describe('svgText', () => {
  it('turns around its point, and escapes what XML reads', () => {
    expect(svgText('a<b', { x: 1, y: 2, size: 12, colour: 'red', anchor: 'end', angle: -90 })).toBe(
      '<text x="1" y="2" font-family="Noto Sans, sans" font-size="12" fill="red" text-anchor="end" transform="rotate(-90 1 2)">a&lt;b</text>',
    );
  });
});
