/** The textured shapes that samples are made of. */
import type { Random } from '@pyramidal/random';

type Point = readonly [x: number, y: number];

/** Outlines on the unit circle, as polygons: what a mask, a box or an occlusion can be computed from. */
const OUTLINES = {
  circle: ring(48, () => 1),
  triangle: ring(3, () => 1),
  square: ring(4, () => 1),
  star: ring(10, (corner) => (corner % 2 === 0 ? 1 : 0.45)),
} as const;

/** Patterns of ink on paper; the tile is `size` pixels wide. */
const TEXTURES = {
  plain: () => '',
  striped: (size: number, ink: string) => `<rect width="${size}" height="${size / 2}" fill="${ink}"/>`,
  dotted: (size: number, ink: string) => `<circle cx="${size / 2}" cy="${size / 2}" r="${size * 0.32}" fill="${ink}"/>`,
  checked: (size: number, ink: string) =>
    `<path d="M0 0h${size / 2}v${size}h${size / 2}v-${size / 2}h-${size}z" fill="${ink}"/>`,
  gridded: (size: number, ink: string) =>
    `<path d="M0 ${size / 2}H${size}M${size / 2} 0V${size}" stroke="${ink}" stroke-width="${size * 0.25}"/>`,
} as const;

export type Outline = keyof typeof OUTLINES;
type Texture = keyof typeof TEXTURES;

export interface ShapeKind {
  readonly outline: Outline;
  readonly texture: Texture;
}

/** The kinds that samples are made of: neither outline nor texture alone tells them apart. */
export const SHAPE_KINDS: readonly ShapeKind[] = [
  { outline: 'circle', texture: 'striped' },
  { outline: 'circle', texture: 'dotted' },
  { outline: 'square', texture: 'striped' },
  { outline: 'square', texture: 'checked' },
  { outline: 'triangle', texture: 'plain' },
  { outline: 'triangle', texture: 'dotted' },
  { outline: 'star', texture: 'gridded' },
  { outline: 'star', texture: 'checked' },
];

export const kindName = ({ outline, texture }: ShapeKind) => `${texture}-${outline}`;

/** @throws if there is no kind of this name. */
export function kindNamed(name: string): ShapeKind {
  const kind = SHAPE_KINDS.find((each) => kindName(each) === name);
  if (kind) return kind;
  throw new Error(`expected a kind of ${SHAPE_KINDS.map(kindName).join(', ')}, received '${name}'`);
}

/** One kind an outline, each with a texture of its own: what a pixel belongs to shows within a few pixels around it. */
export const DISTINCT_KINDS: readonly ShapeKind[] = SHAPE_KINDS.filter((kind) =>
  ['striped-circle', 'checked-square', 'plain-triangle', 'gridded-star'].includes(kindName(kind)),
);

/** A shape in a picture; lengths in pixels, angles in degrees, colours as hue in degrees. */
export interface Shape extends ShapeKind {
  readonly centre: Point;
  readonly radius: number;
  readonly angle: number;
  readonly hue: number;
  readonly tile: number;
}

/** A shape of this kind, wholly inside a square picture; its radius is drawn from a range given in sides of the picture. */
export function drawShape(
  kind: ShapeKind,
  size: number,
  random: Random,
  [smallest, largest]: readonly [number, number] = [0.24, 0.4],
): Shape {
  const radius = size * random.uniform(smallest, largest);
  const place = () => random.uniform(radius, size - radius);
  const centre: Point = [place(), place()];
  const angle = random.uniform(0, 360);
  return { ...kind, centre, radius, angle, hue: random.uniform(0, 360), tile: size * random.uniform(0.1, 0.14) };
}

/** The outline's corners in the picture. */
export function corners({ outline, centre, radius, angle }: Shape): Point[] {
  const turn = (angle * Math.PI) / 180;
  const [cos, sin] = [radius * Math.cos(turn), radius * Math.sin(turn)];
  return OUTLINES[outline].map(([x, y]): Point => [centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos]);
}

/** SVG of one shape, wholly within its outline; `id` tells its definitions apart within the document. */
export function shapeSvg(shape: Shape, id: string): string {
  const points = corners(shape)
    .map((point) => point.map((value) => value.toFixed(2)).join())
    .join(' ');
  const { tile, hue, angle } = shape;
  const ink = `hsl(${hue.toFixed()},70%,28%)`;
  const paper = `hsl(${((hue + 40) % 360).toFixed()},75%,66%)`;
  const size = tile.toFixed(2);
  return (
    `<pattern id="${id}" width="${size}" height="${size}" patternUnits="userSpaceOnUse" patternTransform="rotate(${angle.toFixed()})">` +
    `<rect width="${size}" height="${size}" fill="${paper}"/>${TEXTURES[shape.texture](Number(size), ink)}</pattern>` +
    `<clipPath id="${id}-outline"><polygon points="${points}"/></clipPath>` +
    `<polygon points="${points}" fill="url(#${id})" stroke="${ink}" stroke-width="${(tile / 3).toFixed(2)}" clip-path="url(#${id}-outline)"/>`
  );
}

function ring(count: number, radius: (corner: number) => number): Point[] {
  return Array.from({ length: count }, (_, corner): Point => {
    const angle = (2 * Math.PI * corner) / count;
    return [radius(corner) * Math.cos(angle), radius(corner) * Math.sin(angle)];
  });
}
