import { inkOn, PALETTE, toLinear } from './palette';

type Vector = readonly [number, number, number];

/** What people without one kind of cone see, in linear RGB (Machado et al., 2009, table of severity 1). */
const VISION: Readonly<Record<string, readonly [Vector, Vector, Vector]>> = {
  'full colour vision': [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};
/** Linear sRGB to XYZ over the white of D65. */
const XYZ: readonly [Vector, Vector, Vector] = [
  [0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047],
  [0.2126729, 0.7151522, 0.072175],
  [0.0193339 / 1.08883, 0.119192 / 1.08883, 0.9503041 / 1.08883],
];

const times = (matrix: readonly Vector[], vector: readonly number[]): number[] =>
  matrix.map((row) => row.reduce((sum, factor, i) => sum + factor * vector[i]!, 0));

/** CIELAB of a colour as it is seen. */
function labOf(colour: readonly number[], vision: readonly Vector[]): number[] {
  const seen = times(vision, colour.map(toLinear)).map((value) => Math.min(1, Math.max(0, value)));
  const [x, y, z] = times(XYZ, seen).map((t) => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116)) as [number, number, number]; // prettier-ignore
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

describe('PALETTE', () => {
  // A difference of 2.3 is just noticed side by side; 15 is told apart at a glance.
  it.each(Object.entries(VISION))('has colours that differ by 15 in CIELAB under %s', (_, vision) => {
    const seen = PALETTE.map((colour) => labOf(colour, vision));
    const near = seen.flatMap((a, i) => seen.slice(0, i).map((b) => Math.hypot(...a.map((value, c) => value - b[c]!))));
    expect(Math.min(...near)).toBeGreaterThan(15);
  });
});

describe('inkOn', () => {
  it('has the contrast of 4.5 that WCAG asks of text on every colour', () => {
    const light = (colour: readonly number[]) => times(XYZ, colour.map(toLinear))[1]! + 0.05;
    for (const colour of PALETTE) {
      const [a, b] = [light(colour), light(inkOn(colour))];
      expect(Math.max(a, b) / Math.min(a, b)).toBeGreaterThanOrEqual(4.5);
    }
    expect(inkOn([0, 0, 0])).toEqual([255, 255, 255]);
    expect(inkOn([255, 255, 255])).toEqual([0, 0, 0]);
  });
});
