/** Colours of classes and of errors; those of errors are Okabe and Ito's, which the colour-blind tell apart. */
import type { Kind } from '../../src/detection/filter';
import type { ClassAbout } from '../../src/protocol';

const KIND_COLOURS: Readonly<Record<Kind, string>> = {
  match: '#009e73',
  localization: '#e69f00',
  similarClass: '#cc79a7',
  otherClass: '#cc79a7',
  duplicate: '#56b4e9',
  background: '#d55e00',
  both: '#d55e00',
  ignored: '#8a8a8a',
  uncounted: '#8a8a8a',
  missed: '#f0e442',
};

/** Of annotated objects where colours tell errors. */
export const TRUTH_COLOUR = '#ffffff';

export const kindColour = (kind: Kind): string => KIND_COLOURS[kind];

export const classColour = ({ colour: [red, green, blue] }: Pick<ClassAbout, 'colour'>): string =>
  `rgb(${red} ${green} ${blue})`;

/** Black or white, whichever can be read on a colour. */
export function inkOn(colour: string): string {
  const [red, green, blue] = channelsOf(colour);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? '#000' : '#fff';
}

/** 0 to 255, of `#rrggbb` or `rgb(r g b)`. */
export function channelsOf(colour: string): [red: number, green: number, blue: number] {
  const [red = 0, green = 0, blue = 0] = colour.startsWith('#')
    ? [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))
    : colour.match(/\d+/g)!.map(Number);
  return [red, green, blue];
}
