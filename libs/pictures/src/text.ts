/**
 * Text in real fonts, by Pango inside sharp: Noto Sans for Latin letters comes with this package, so that they look alike
 * everywhere; other scripts are of the system's fonts, shaped and in their direction.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Rgb, Size } from '@pyramidal/images';
import sharp from 'sharp';

const LATIN = join(__dirname, '..', 'fonts', 'noto-sans-latin.ttf');
const FAMILIES = 'Noto Sans, sans';

/** Names font files (TrueType or OpenType), parted as in PATH, that are used as if they were installed. */
const OWN_FONTS = 'PYRAMIDAL_FONT';

/** Text as a picture: RGBA values, as small as the ink allows; of no size where there is none. */
export interface TextPicture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface TextStyle {
  /** Of the font's em, in pixels. */
  readonly size: number;
  readonly colour: Rgb;
}

/** As Pango names the fonts, for an em in pixels at 72 dots per inch. */
export const fontFor = (size: number): string => `${FAMILIES} ${size.toFixed(2)}`;

/** Draws one line of text, or several that are parted by line feeds. */
export async function renderText(text: string, { size, colour }: TextStyle): Promise<TextPicture> {
  await loadFonts();
  const readable = escapeText(text);
  if (!hasInk(readable)) return { data: new Uint8Array(0), width: 0, height: 0 };
  const markup = `<span foreground="#${Buffer.from(colour).toString('hex')}">${readable}</span>`;
  const drawn = sharp({ text: { text: markup, font: fontFor(size), dpi: 72, rgba: true } });
  const { data, info } = await drawn.raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** How wide the ink of each text is, in pixels. */
export async function textWidths(texts: readonly string[], size: number): Promise<number[]> {
  const pictures = await Promise.all(texts.map((text) => renderText(text, { size, colour: [0, 0, 0] })));
  return pictures.map(({ width }) => width);
}

/** Of a picture's labels, in pixels; smaller ones cannot be read. */
export const textSize = ({ width, height }: Size): number => Math.max(11, Math.sqrt(width * height) / 40);

/** Characters of a label's line; names out of files may be of any length. */
const LINE = 80;

/** Text that is cut until it is no wider than the room in pixels; where that is too narrow for a letter, nothing is left. */
export async function fittingText(text: string, room: number, style: TextStyle): Promise<TextPicture> {
  for (let most = LINE; ;) {
    const drawn = await renderText(most === 0 ? '' : cutLines(text, most), style);
    if (drawn.width <= room || most === 0) return drawn;
    most = Math.max(0, Math.min(most - 1, Math.floor((most * room) / drawn.width)));
  }
}

const cutLines = (text: string, most: number): string =>
  text
    .split('\n')
    .map((line) => (line.length > most ? `${line.slice(0, most).trimEnd()}…` : line))
    .join('\n');

export interface SvgTextStyle {
  /** Where the line begins, ends or has its middle, by the anchor; y is the baseline's. */
  readonly x: number;
  readonly y: number;
  /** Of the font's em, in pixels. */
  readonly size: number;
  readonly colour: string;
  readonly anchor?: 'start' | 'middle' | 'end';
  /** Degrees clockwise around the point. */
  readonly angle?: number;
}

/** One line of text as an SVG element; the fonts must have been loaded. */
export function svgText(text: string, { x, y, size, colour, anchor = 'start', angle = 0 }: SvgTextStyle): string {
  const turned = angle === 0 ? '' : ` transform="rotate(${angle} ${x} ${y})"`;
  const font = `font-family="${FAMILIES}" font-size="${size}"`;
  return `<text x="${x}" y="${y}" ${font} fill="${colour}" text-anchor="${anchor}"${turned}>${escapeText(text)}</text>`;
}

/**
 * Tells Pango of the fonts, once for the process.
 * @throws Error for a font file that is missing.
 */
export function loadFonts(): Promise<void> {
  loading ??= load();
  return loading;
}

let loading: Promise<void> | undefined;

async function load(): Promise<void> {
  const own = process.env[OWN_FONTS]?.split(delimiter).filter((file) => file !== '') ?? [];
  for (const fontfile of [LATIN, ...own]) {
    if (!existsSync(fontfile)) throw new Error(`${OWN_FONTS}: expected font files, received '${fontfile}'`);
    await sharp({ text: { text: 'x', font: FAMILIES, fontfile } })
      .raw()
      .toBuffer();
  }
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** For XML, in which control characters and halves of pairs may not stand. */
const escapeText = (text: string): string =>
  text
    .replace(/\t/g, ' ')
    .replace(/[^\P{Cc}\n]|\p{Cs}|[\ufffe\uffff]/gu, '\ufffd')
    .replace(/[&<>"]/g, (character) => ENTITIES[character]!);

/** Whether anything is to be seen of a text: Pango refuses to draw nothing. */
const hasInk = (text: string): boolean => /[^\p{Z}\p{Cf}\p{Default_Ignorable_Code_Point}\s]/u.test(text);
