/** Colours of classes and curves, and of the text on them. */
import type { Rgb } from '@pyramidal/images';

/**
 * Colours that people of every kind of colour vision tell apart: those of Okabe and Ito (Color Universal Design, 2008) without
 * black, which is lost on photographs, and three of Tol's (Colour Schemes, 2021). Each of those that follow is the one in steps of
 * 15 that lies farthest in CIELAB from all before it, for whichever kind sees least of the difference.
 */
export const PALETTE: readonly Rgb[] = [
  [0, 114, 178], // blue
  [213, 94, 0], // vermilion
  [0, 158, 115], // bluish green
  [230, 159, 0], // orange
  [204, 121, 167], // reddish purple
  [86, 180, 233], // sky blue
  [136, 34, 85], // wine
  [240, 228, 66], // yellow
  [51, 34, 136], // indigo
  [221, 221, 221], // pale grey
  [150, 0, 255],
  [90, 60, 15],
  [0, 255, 135],
  [150, 120, 255],
  [225, 0, 75],
  [180, 165, 75],
  [165, 240, 180],
  [105, 45, 195],
  [75, 45, 105],
  [210, 0, 180],
  [60, 105, 60],
  [165, 180, 120],
  [150, 195, 165],
  [165, 75, 135],
];

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];

/** White or black, whichever has more contrast on a colour (WCAG 2, contrast ratio). */
export function inkOn(colour: Rgb): Rgb {
  const luminance = luminanceOf(colour);
  const [white, black] = [1.05 / (luminance + 0.05), (luminance + 0.05) / 0.05];
  return white >= black ? WHITE : BLACK;
}

function luminanceOf(colour: Rgb): number {
  const [red, green, blue] = colour.map(toLinear) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** A channel of sRGB as an amount of light (IEC 61966-2-1). */
export function toLinear(value: number): number {
  const share = value / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

/** A colour in CSS and SVG. */
export const css = (colour: Rgb): string => `rgb(${colour.join()})`;
