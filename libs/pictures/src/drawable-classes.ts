/** Classes whose names are in scripts for which the machine may have no font. */
import sharp from 'sharp';
import { fontFor, loadFonts } from './text';

/** Scripts by their name in Unicode, and what brings a font for them where packages are called as in Debian. */
const SCRIPTS: readonly (readonly [script: string, letters: RegExp, fonts: string])[] = [
  ['Chinese or Japanese', /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}/u, 'fonts-noto-cjk'],
  ['Korean', /\p{Script=Hangul}/u, 'fonts-noto-cjk'],
  ['emoji', /\p{Extended_Pictographic}|\p{Regional_Indicator}/u, 'fonts-noto-color-emoji'],
  ['Arabic', /\p{Script=Arabic}/u, 'fonts-noto-core'],
  ['Cyrillic', /\p{Script=Cyrillic}/u, 'fonts-noto-core'],
  ['Devanagari', /\p{Script=Devanagari}/u, 'fonts-noto-core'],
  ['Greek', /\p{Script=Greek}/u, 'fonts-noto-core'],
  ['Hebrew', /\p{Script=Hebrew}/u, 'fonts-noto-core'],
  ['Thai', /\p{Script=Thai}/u, 'fonts-noto-core'],
];

/**
 * The classes with names that pictures can show: one that the machine has no font for becomes `class 7`, its place from 0.
 * @param say is told once, in one line, of the scripts that have no font, an example of each, and what to install.
 */
export async function drawableClasses<C extends { readonly name: string }>(
  classes: readonly C[],
  say: (line: string) => void,
): Promise<C[]> {
  const names = classes.map(({ name }) => name);
  const missing = await charactersWithoutFont(new Set(names.join('')));
  if (missing.size === 0) return [...classes];
  const lacking = names.map((name) => [...name].find((character) => missing.has(character)));
  say(describe(names, lacking));
  return classes.map((one, i) => (lacking[i] === undefined ? one : { ...one, name: `class ${i}` }));
}

function describe(names: readonly string[], lacking: readonly (string | undefined)[]): string {
  const gaps = new Map<string, { readonly fonts: string; readonly names: string[] }>();
  lacking.forEach((character, i) => {
    if (character === undefined) return;
    const known = SCRIPTS.find(([, letters]) => letters.test(character));
    const [script, fonts] = known === undefined ? [`'${character}'`, 'fonts-noto-core'] : [known[0], known[2]];
    const gap = gaps.get(script);
    if (gap === undefined) gaps.set(script, { fonts, names: [names[i]!] });
    else gap.names.push(names[i]!);
  });
  const scripts = [...gaps].map(
    ([
      script,
      {
        names: [first, ...others],
      },
    ]) => {
      const more = others.length === 0 ? '' : ` and ${others.length} more`;
      return `${script} (class '${first}'${more})`;
    },
  );
  const fonts = [...new Set([...gaps.values()].map((gap) => gap.fonts))].join(' and ');
  return `no font for ${scripts.join(' and ')}: pictures name the numbers of these classes; install ${fonts}, or name a font file in PYRAMIDAL_FONT`;
}

/** Letters for which the box with a code point stands, which Pango draws where no font has a glyph. */
async function charactersWithoutFont(characters: ReadonlySet<string>): Promise<Set<string>> {
  await loadFonts();
  // The bundled font has those of Latin-1; marks and joiners are parts of other glyphs.
  const doubtful = [...characters].filter((character) => character > '\u00ff' && !/[\p{M}\p{C}\p{Z}]/u.test(character));
  if (doubtful.length === 0) return new Set();
  // Code points that never are characters, so that no font has them: their boxes have four, five and six digits.
  const boxes = new Set(await Promise.all(['\ufdd0', '\u{1fffe}', '\u{10fffe}'].map(frameOf)));
  const missing = await Promise.all(doubtful.map(async (character) => boxes.has(await frameOf(character))));
  return new Set(doubtful.filter((_, i) => missing[i]));
}

/** The outermost pixels of a character's ink: those of boxes with as many digits are equal, whatever the digits. */
async function frameOf(character: string): Promise<string> {
  const { data, info } = await sharp({ text: { text: character, font: fontFor(24), dpi: 72 } })
    .extractChannel(0)
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const edge = data.filter((_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return x === 0 || y === 0 || x === width - 1 || y === height - 1;
  });
  return `${width}x${height}:${Buffer.from(edge).toString('base64')}`;
}
