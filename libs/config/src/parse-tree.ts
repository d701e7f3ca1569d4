/** A tree of located values as plain ones for the schema. */
import type { z } from 'zod';
import { findProblems } from './find-problems';
import { type Located, toPlain } from './located';
import { ConfigError } from './usage-error';

/**
 * The value of a tree, as a schema reads it.
 * @throws ConfigError with every problem, where it is written.
 */
export function parseTree<S extends z.ZodType>(schema: S, root: Located): z.output<S> {
  const value = toPlain(root);
  const result = schema.safeParse(value);
  if (!result.success) throw new ConfigError(findProblems(result.error.issues, schema, root, value));
  return result.data;
}
