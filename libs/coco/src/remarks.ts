/** What people should know of a dataset's objects before they use it. */
import type { DetectionClass, DetectionSample, DroppedObject } from './dataset';

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
