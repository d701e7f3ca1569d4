/**
 * A stroke font for pictures, because libvips finds no fonts on a bare machine. Each glyph is strokes of points, a point is two digits:
 * x from 0 to 4, y from 0 (top of capitals) through 6 (baseline) to 8 (descenders). A stroke of one point twice is a dot.
 */
const GLYPHS: Readonly<Record<string, string>> = {
  A: '06 20 46|14 34',
  B: '00 06 36 45 44 33 03|33 42 41 30 00',
  C: '41 30 10 01 05 16 36 45',
  D: '00 06 26 44 42 20 00',
  E: '40 00 06 46|03 33',
  F: '40 00 06|03 33',
  G: '41 30 10 01 05 16 36 45 43 23',
  H: '00 06|40 46|03 43',
  I: '10 30|20 26|16 36',
  J: '40 45 36 16 05',
  K: '00 06|40 03 46',
  L: '00 06 46',
  M: '06 00 23 40 46',
  N: '06 00 46 40',
  O: '10 30 41 45 36 16 05 01 10',
  P: '06 00 30 41 42 33 03',
  Q: '10 30 41 45 36 16 05 01 10|24 46',
  R: '06 00 30 41 42 33 03|23 46',
  S: '41 30 10 01 02 13 33 44 45 36 16 05',
  T: '00 40|20 26',
  U: '00 05 16 36 45 40',
  V: '00 26 40',
  W: '00 16 23 36 40',
  X: '00 46|40 06',
  Y: '00 23 40|23 26',
  Z: '00 40 06 46',
  a: '12 32 43 46|44 14 05 16 36 45',
  b: '00 06|03 12 32 43 45 36 16 05',
  c: '43 32 12 03 05 16 36 45',
  d: '40 46|43 32 12 03 05 16 36 45',
  e: '04 44 43 32 12 03 05 16 36 45',
  f: '40 30 21 26|12 42',
  g: '42 47 38 18 07|43 32 12 03 05 16 36 45',
  h: '00 06|03 12 32 43 46',
  i: '12 22 26|20 20|16 36',
  j: '12 22 27 18 08|20 20',
  k: '00 06|42 04 46',
  l: '10 20 26|16 36',
  m: '02 06|03 12 23 26|23 32 43 46',
  n: '02 06|03 12 32 43 46',
  o: '12 32 43 45 36 16 05 03 12',
  p: '02 08|03 12 32 43 45 36 16 05',
  q: '42 48|43 32 12 03 05 16 36 45',
  r: '12 16|13 22 32 43',
  s: '43 32 12 03 14 34 45 36 16 05',
  t: '20 25 36 46|02 42',
  u: '02 05 16 36 45|42 46',
  v: '02 26 42',
  w: '02 16 23 36 42',
  x: '02 46|42 06',
  y: '02 26|42 18 08',
  z: '02 42 06 46',
  0: '10 30 41 45 36 16 05 01 10|15 31',
  1: '11 20 26|16 36',
  2: '01 10 30 41 42 06 46',
  3: '01 10 30 41 42 33 44 45 36 16 05|33 13',
  4: '36 30 04 44',
  5: '40 00 02 32 43 45 36 16 05',
  6: '41 30 10 01 05 16 36 45 44 33 13 04',
  7: '00 40 16',
  8: '10 30 41 42 33 13 02 01 10|13 04 05 16 36 45 44 33',
  9: '42 33 13 02 01 10 30 41 45 36 16 05',
  ' ': '',
  '.': '26 26',
  ',': '26 17',
  ':': '23 23|26 26',
  ';': '23 23|26 17',
  '!': '20 24|26 26',
  '?': '01 10 30 41 42 23 24|26 26',
  '-': '14 34',
  _: '07 47',
  '+': '22 26|04 44',
  '=': '03 43|05 45',
  '/': '07 40',
  '\\': '00 47',
  '(': '30 11 16 37',
  ')': '10 31 36 17',
  '[': '30 10 17 37',
  ']': '10 30 37 17',
  '{': '30 20 22 13 24 27 37',
  '}': '10 20 22 33 24 27 17',
  '<': '41 03 45',
  '>': '01 43 05',
  '%': '00 10 11 01 00|35 45 46 36 35|06 40',
  '#': '10 16|30 36|02 42|04 44',
  '*': '21 25|02 44|42 04',
  '&': '46 02 01 10 20 31 04 05 16 26 44',
  '@': '34 24 22 32 34 44 41 30 10 01 05 16 46',
  $: '41 30 10 01 02 13 33 44 45 36 16 05|20 26',
  "'": '20 22',
  '"': '10 12|30 32',
  '`': '10 21',
  '^': '02 20 42',
  '~': '04 13 34 43',
  '|': '20 27',
};

const UNKNOWN = '00 40 46 06 00';

/** Glyphs stand this many units apart; a capital is 4 wide and 6 tall. */
const ADVANCE = 5.6;
const CAPITAL = 6;

export interface TextStyle {
  /** The baseline's start, middle or end, as `anchor` says; pixels. */
  readonly x: number;
  readonly y: number;
  /** Height of a capital, in pixels. */
  readonly size: number;
  readonly colour: string;
  readonly anchor?: 'start' | 'middle' | 'end';
  /** Degrees clockwise about (x, y). */
  readonly angle?: number;
  readonly bold?: boolean;
}

/** Width of a text in pixels when its capitals are `size` pixels tall. */
export function textWidth(text: string, size: number): number {
  return Math.max(0, (plain(text).length * ADVANCE - (ADVANCE - 4)) * (size / CAPITAL));
}

/** A line of text as an SVG path. Accents are dropped; what the font lacks shows as a box. */
export function svgText(
  text: string,
  { x, y, size, colour, anchor = 'start', angle = 0, bold = false }: TextStyle,
): string {
  const scale = size / CAPITAL;
  const left = -textWidth(text, size) * { start: 0, middle: 0.5, end: 1 }[anchor];
  const strokes = [...plain(text)].flatMap((letter, i) => {
    const glyph = GLYPHS[letter] ?? UNKNOWN;
    return glyph === '' ? [] : glyph.split('|').map((stroke) => pathOf(stroke, left + i * ADVANCE * scale, scale));
  });
  const width = Math.max(1, size * (bold ? 0.2 : 0.13)).toFixed(2);
  return (
    `<path transform="translate(${x.toFixed(1)} ${y.toFixed(1)}) rotate(${angle})" d="${strokes.join('')}" fill="none" ` +
    `stroke="${colour}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"/>`
  );
}

function pathOf(stroke: string, left: number, scale: number): string {
  const points = stroke.split(' ').map((point) => {
    const [x, y] = [Number(point[0]), Number(point[1]) - CAPITAL];
    return `${(left + x * scale).toFixed(2)} ${(y * scale).toFixed(2)}`;
  });
  return `M${points.join('L')}`;
}

const plain = (text: string) => text.normalize('NFD').replace(/\p{Mn}/gu, '');
