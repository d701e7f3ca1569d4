/** What the colours of a picture mean. */
import { padImage, type Rgb, type RgbImage } from '@pyramidal/images';
import { fillBox, paintText } from './paint';
import { fittingText, textSize } from './text';

export interface LegendEntry {
  readonly name: string;
  readonly colour: Rgb;
}

const INK: Rgb = [31, 41, 55];
const WHITE: Rgb = [255, 255, 255];

/** Rows for which a low picture gets a higher one. */
const ROWS = 8;
/** The column's share of the picture's width, which narrow pictures go beyond. */
const SHARE = 0.35;
const NARROWEST = 10;

/**
 * A copy of the picture with the meanings of its colours in a column at the right: as many as have room, and the number of the
 * others. Its size does not depend on what the legend says.
 */
export async function addLegend(picture: RgbImage, entries: readonly LegendEntry[]): Promise<RgbImage> {
  const size = textSize(picture);
  const [row, swatch, gap] = [Math.round(1.7 * size), Math.round(0.9 * size), Math.round(0.4 * size)];
  const column = Math.round(Math.max(NARROWEST * size, SHARE * picture.width));
  const height = Math.max(picture.height, row * ROWS);
  const sheet = padImage(picture, { width: picture.width + column, height }, { fill: WHITE });
  const rows = Math.floor(height / row);
  const shown = entries.length > rows ? entries.slice(0, rows - 1) : entries;
  const style = { size, colour: INK };
  const left = picture.width + gap;
  const paint = async (text: string, top: number): Promise<void> => {
    const drawn = await fittingText(text, column - swatch - 3 * gap, style);
    paintText(sheet, drawn, { left: left + swatch + gap, top: top + ((row - drawn.height) >> 1) });
  };
  for (const [i, { name, colour }] of shown.entries()) {
    const top = i * row + ((row - swatch) >> 1);
    fillBox(sheet, [left, top, left + swatch, top + swatch], colour, 1);
    await paint(name, i * row);
  }
  if (shown.length < entries.length) await paint(`+ ${entries.length - shown.length}`, shown.length * row);
  return sheet;
}
