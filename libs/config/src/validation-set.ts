/** What `data.val` says: a set of its own to measure on, a share of the training set, or nothing. */
import type { HeldShare } from './schema';
import { UsageError } from './usage-error';

/** Neither is there where nothing is measured. */
export interface ValidationSet<Own> {
  /** The set that the configuration names. */
  readonly own?: Own;
  /** The share that is held out of the training set. */
  readonly held?: HeldShare;
}

/** Reads `data.val` of any task. */
export function validationSet<Own extends string | object>(val: Own | HeldShare | 'none'): ValidationSet<Own> {
  if (val === 'none') return {};
  return isShare(val) ? { held: val } : { own: val };
}

/** The same of a command that measures. @throws UsageError where the configuration names nothing to measure on. */
export function requiredValidationSet<Own extends string | object>(val: Own | HeldShare | 'none'): ValidationSet<Own> {
  if (val !== 'none') return validationSet(val);
  throw new UsageError('data.val: expected images to evaluate on, received none; --set data.val=... names some');
}

const isShare = (val: string | object): val is HeldShare => typeof val === 'object' && 'share' in val;
