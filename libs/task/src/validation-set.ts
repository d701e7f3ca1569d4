/** What a configuration measures on, whatever the task: a set of its own, a share of the training set, or nothing. */
import { type HeldShare, UsageError } from '@pyramidal/config';

/** `data.val` of a configuration. */
export type ValidationChoice<Own> = Own | HeldShare | 'none';

/** The share that is held out of the training set; undefined where the configuration names a set, or none. */
export function heldShare(val: unknown): HeldShare | undefined {
  return typeof val === 'object' && val !== null && 'share' in val ? (val as HeldShare) : undefined;
}

/** The set of its own that a configuration names; undefined where the training set is all there is. */
export function ownSet<Own extends string | object>(val: ValidationChoice<Own>): Own | undefined {
  return val === 'none' || heldShare(val) !== undefined ? undefined : (val as Own);
}

/** @throws UsageError where a configuration measures on nothing. */
export function requireValidation(val: unknown): void {
  if (val === 'none') {
    throw new UsageError('data.val: expected images to evaluate on, received none; --set data.val=... names some');
  }
}
