/** A checkpoint's classes beside those of a data set that it is measured on. */
import { UsageError } from '@pyramidal/config';
import type { ModelClass } from '@pyramidal/training';

/**
 * Checks that a data set tells apart what a checkpoint does, label by label.
 * @param known the classes of the checkpoint, if it tells them. @param name of the data set, for the error.
 * @throws UsageError naming the first class that differs.
 */
export function requireKnownClasses(
  known: readonly ModelClass[] | undefined,
  { name, classes }: { readonly name: string; readonly classes: readonly Pick<ModelClass, 'id' | 'name'>[] },
): void {
  if (known === undefined) return;
  const count = Math.max(known.length, classes.length);
  for (let label = 0; label < count; label++) {
    const [expected, received] = [known[label], classes[label]];
    if (expected !== undefined && received?.id === expected.id && received.name === expected.name) continue;
    throw new UsageError(
      `${name}: expected the classes of the checkpoint: label ${label} is ${show(expected)} there and ${show(received)} here`,
    );
  }
}

const show = (one: Pick<ModelClass, 'id' | 'name'> | undefined): string =>
  one === undefined ? 'no class' : `'${one.name}' (${one.id})`;
