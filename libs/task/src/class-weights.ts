/** `loss.classWeights`: rare classes that count more. */
import { UsageError } from '@pyramidal/config';

/** What a configuration says: a factor for each class, or those that make all classes count alike. */
type WeightsChoice = 'balanced' | readonly number[] | undefined;

/** What is weighted. */
interface Weighted {
  /** Names of the classes, by label. */
  readonly classes: readonly string[];
  /** How much there is of each class in the training set, in images or pixels. */
  readonly count: () => readonly number[] | Promise<readonly number[]>;
}

/**
 * The weights of the classes, by label. Balanced ones are the total over the number of classes and what there is of the class, as
 * scikit-learn's; a class without anything counts like the mean.
 * @param say gets one line with the balanced ones. @throws UsageError unless there is one a class.
 */
export async function classWeights(
  choice: WeightsChoice,
  { classes, count }: Weighted,
  say: (line: string) => void = console.error,
): Promise<readonly number[] | undefined> {
  if (choice === undefined) return undefined;
  if (choice === 'balanced') {
    const weights = balanced(await count());
    const named = weights.map((weight, label) => `${classes[label]} ${Number(weight.toPrecision(3))}`);
    const more = named.length > SHOWN ? `, and ${named.length - SHOWN} more` : '';
    say(`class weights: ${named.slice(0, SHOWN).join(', ')}${more}`);
    return weights;
  }
  if (choice.length === classes.length) return choice;
  throw new UsageError(
    `loss.classWeights: expected ${classes.length} numbers, one for each class, received ${choice.length}`,
  );
}

const SHOWN = 10;

/** `n / (k * n_c)` for n in all and k classes that there are. */
export function balanced(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const present = counts.filter((count) => count > 0).length;
  return counts.map((count) => (count === 0 ? 1 : total / (present * count)));
}
