/** Where the labels of objects go: beside their boxes, inside the picture, over no other label and over no small object. */
import type { Size } from '@pyramidal/images';

export type Box = readonly [x1: number, y1: number, x2: number, y2: number];

/** A label that wants a place. */
export interface Label {
  readonly width: number;
  readonly height: number;
  /** What it names; without one the label stands in a corner of the picture. */
  readonly box?: Box;
}

/** An object that is smaller than so many labels is small: a label lies not in it, and hides at most this share of it. */
const SMALL = 8;
const HARDLY = 0.1;
/** Each step down the list of places weighs as much as hiding this share of an object. */
const STEP = 0.02;

/**
 * Gives each label the best of the places that are left, in their order: the most certain first.
 * @param objects boxes that labels should leave in sight.
 * @returns the labels' boxes, undefined for a label that has no room.
 */
export function placeLabels(labels: readonly Label[], objects: readonly Box[], picture: Size): (Box | undefined)[] {
  const placed: Box[] = [];
  return labels.map((label) => {
    const free = candidates(label, picture).filter(({ place }) => placed.every((other) => overlap(place, other) === 0));
    let best: { readonly place: Box; readonly cost: number } | undefined;
    for (const { place, rank } of free) {
      const cost = rank * STEP + coverCost(place, objects);
      if (cost < (best?.cost ?? Infinity)) best = { place, cost };
    }
    if (best !== undefined) placed.push(best.place);
    return best?.place;
  });
}

interface Candidate {
  readonly place: Box;
  readonly rank: number;
}

/** The places of a label that lie in the picture, the most usual first. */
function candidates({ box, width, height }: Label, picture: Size): Candidate[] {
  const inPicture = (left: number, top: number): Box | undefined =>
    left >= 0 && top >= 0 && left + width <= picture.width && top + height <= picture.height
      ? [left, top, left + width, top + height]
      : undefined;
  const [right, bottom] = [picture.width - width, picture.height - height];
  if (box === undefined) {
    return ranked([inPicture(0, 0), inPicture(right, 0), inPicture(0, bottom), inPicture(right, bottom)]);
  }
  const [x1, y1, x2, y2] = [Math.floor(box[0]), Math.floor(box[1]), Math.ceil(box[2]), Math.ceil(box[3])];
  // Along its side of the box, a label slides into the picture.
  const slide = (at: number, most: number): number => Math.max(0, Math.min(at, most));
  const [fromLeft, toRight, centred] = [x1, x2 - width, (x1 + x2 - width) >> 1].map((x) => slide(x, right)) as [number, number, number]; // prettier-ignore
  const [fromTop, toBottom] = [slide(y1, bottom), slide(y2 - height, bottom)];
  const outside = [
    inPicture(fromLeft, y1 - height),
    inPicture(fromLeft, y2),
    inPicture(toRight, y1 - height),
    inPicture(toRight, y2),
    inPicture(x2, fromTop),
    inPicture(x1 - width, fromTop),
    inPicture(x2, toBottom),
    inPicture(x1 - width, toBottom),
    inPicture(centred, y1 - height),
    inPicture(centred, y2),
  ];
  const seen: Box = [Math.max(0, x1), Math.max(0, y1), Math.min(x2, picture.width), Math.min(y2, picture.height)];
  if (SMALL * width * height > areaOf(seen)) return ranked(outside);
  const inside = [
    inPicture(seen[0], seen[1]),
    inPicture(seen[2] - width, seen[1]),
    inPicture(seen[0], seen[3] - height),
    inPicture(seen[2] - width, seen[3] - height),
  ].map((place) => (place !== undefined && overlap(place, seen) === width * height ? place : undefined));
  return ranked([outside[0], ...inside, ...outside.slice(1)]);
}

const ranked = (places: readonly (Box | undefined)[]): Candidate[] =>
  places.flatMap((place, rank) => (place === undefined ? [] : [{ place, rank }]));

/** How much of the objects a label hides, in shares of them; Infinity where it hides a small one. */
function coverCost(place: Box, objects: readonly Box[]): number {
  const area = areaOf(place);
  let cost = 0;
  for (const object of objects) {
    const covered = overlap(place, object);
    if (covered === 0) continue;
    const whole = areaOf(object);
    const share = covered / whole;
    if (whole < SMALL * area && share > HARDLY) return Infinity;
    cost += share;
  }
  return cost;
}

const areaOf = ([x1, y1, x2, y2]: Box): number => Math.max(0, x2 - x1) * Math.max(0, y2 - y1);

/** The area that two boxes share. */
export function overlap(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return width > 0 && height > 0 ? width * height : 0;
}
