/** What people should know of a dataset's objects before they use it. */
import type { Polygons } from '@cocoeval/ts';
import type { DetectionClass, DetectionObject, DetectionSample, DroppedObject } from './dataset';

/** Share of boxes that may reach beyond their image, as those do that were drawn over its edge. */
const DRAWN_OVER = 0.1;

/** Such as `2 with an area of 0, 1 with a box outside of its image (annotations 10, 11, 12)`. */
export function describeDropped(dropped: readonly DroppedObject[]): string | undefined {
  if (dropped.length === 0) return undefined;
  const counts = new Map<string, number>();
  for (const { reason } of dropped) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const reasons = [...counts].map(([reason, count]) => `${count} with ${reason}`).join(', ');
  const shown = dropped.slice(0, 5).map(({ id }) => id);
  return `${reasons} (annotations ${shown.join(', ')}${dropped.length > shown.length ? ', ...' : ''})`;
}

/** Classes that no object has: nothing of them is learned, or measured. */
export function unusedClasses(
  file: string,
  classes: readonly DetectionClass[],
  samples: readonly DetectionSample[],
): string[] {
  const used = new Set(samples.flatMap(({ objects }) => objects.map(({ label }) => label)));
  const unused = classes.filter((_, label) => !used.has(label));
  if (unused.length === 0) return [];
  return [
    `${file}: ${unused.length} of ${classes.length} categories have no object, the first one '${unused[0]!.name}'`,
  ];
}

/** Boxes of which many reach beyond their image: two corners, most likely, where a corner and a size are expected. */
export function boxesBeyond(file: string, samples: readonly DetectionSample[]): string[] {
  let [all, beyond] = [0, 0];
  for (const { objects, width, height } of samples) {
    const reachesBeyond = objects.filter(({ box: [x1, y1, x2, y2] }) => x1 < -1 || y1 < -1 || x2 > width + 1 || y2 > height + 1); // prettier-ignore
    all += objects.length;
    beyond += reachesBeyond.length;
  }
  if (beyond <= DRAWN_OVER * all) return [];
  return [`${file}: ${beyond} of ${all} boxes reach beyond their image; bbox is [x, y, width, height] in pixels`];
}

/** Outlines that lie beside the box of their own object: one of the two is in other units, or of another object. */
export function outlinesApart(file: string, samples: readonly DetectionSample[]): string[] {
  const apart = samples.flatMap(({ objects }) => objects.filter(isApart));
  if (apart.length === 0) return [];
  return [`${file}: ${apart.length} outlines lie beside the box of their object, the first one that of annotation ${apart[0]!.id}`]; // prettier-ignore
}

function isApart({ box: [x1, y1, x2, y2], segmentation }: DetectionObject): boolean {
  if (!Array.isArray(segmentation)) return false;
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const polygon of segmentation as Polygons) {
    for (let i = 0; i + 1 < polygon.length; i += 2) {
      left = Math.min(left, polygon[i]!);
      right = Math.max(right, polygon[i]!);
      top = Math.min(top, polygon[i + 1]!);
      bottom = Math.max(bottom, polygon[i + 1]!);
    }
  }
  return right <= x1 || left >= x2 || bottom <= y1 || top >= y2;
}

/** Names that stand for two things: objects of one image that several records share out, and classes that nobody can tell apart. */
export function repeatedNames(
  file: string,
  images: readonly { readonly id: number; readonly fileName: string }[],
  classes: readonly DetectionClass[],
): string[] {
  const files = repeated(images.map(({ id, fileName }) => ({ id, name: fileName })));
  const names = repeated(classes.map(({ categoryId, name }) => ({ id: categoryId, name })));
  const first = (all: readonly Repeated[], kind: string): string =>
    `the first one '${all[0]!.name}' (${kind} ${all[0]!.ids.join(' and ')})`;
  return [
    ...(files.length === 0 ? [] : [`${file}: ${files.length} images have more than one record, ${first(files, 'images')}`]), // prettier-ignore
    ...(names.length === 0 ? [] : [`${file}: ${names.length} names stand for more than one category, ${first(names, 'categories')}`]), // prettier-ignore
  ];
}

interface Repeated {
  readonly name: string;
  /** Of the first two that have it. */
  readonly ids: readonly [number, number];
}

function repeated(named: readonly { readonly id: number; readonly name: string }[]): Repeated[] {
  const first = new Map<string, number>();
  const found = new Map<string, Repeated>();
  for (const { id, name } of named) {
    const other = first.get(name);
    if (other === undefined) first.set(name, id);
    else if (!found.has(name)) found.set(name, { name, ids: [other, id] });
  }
  return [...found.values()];
}
