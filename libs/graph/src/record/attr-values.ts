/** Values of attributes by their kind. */
import type { AttrValue } from './graph-def';

export const isTrue = (attr: AttrValue | undefined): boolean => attr !== undefined && 'bool' in attr && attr.bool;

/** The text; undefined where there is none. */
export const textOf = (attr: AttrValue | undefined): string | undefined =>
  attr !== undefined && 'string' in attr ? attr.string : undefined;

/** The whole number; undefined where there is none. */
export const numberOf = (attr: AttrValue | undefined): number | undefined =>
  attr !== undefined && 'int' in attr ? attr.int : undefined;
