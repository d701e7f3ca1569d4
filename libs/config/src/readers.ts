/** Which commands with weights have a use for a value of a configuration, and the overrides that one has none for. */
import { z } from 'zod';
import { clip } from './clip';
import { childValue, isRecord, schemasBelow } from './schema-walk';
import { splitOverride } from './overrides';

/** A command that takes the weights of a training. */
export type Reader = 'eval' | 'predict' | 'serve' | 'export' | 'info';

interface Use {
  readonly readers: readonly Reader[];
  /** It says where the classes are read where weights do not tell them; any command reads it then. */
  readonly namesClasses: boolean;
}

/** What is not read by all commands with weights says so: `schema.register(readBy, only('eval'))`; the values in it follow. */
export const readBy = z.registry<Use>();

export const only = (...readers: readonly Reader[]): Use => ({ readers, namesClasses: false });

/** Besides these, commands read it whose weights do not tell their classes. */
export const namingClasses = (...readers: readonly Reader[]): Use => ({ readers, namesClasses: true });

/** Who reads a configuration, and what it knows besides. */
export interface Reading {
  readonly reader: Reader;
  /** Whether the weights tell their classes. */
  readonly knowsClasses: boolean;
}

/** A line for each override that was applied, such as `data.categories=x.json`, whose value a command does not read. */
export function describeUnread(
  schema: z.ZodType,
  { config, overrides }: { readonly config: unknown; readonly overrides: readonly string[] },
  reading: Reading,
): string[] {
  return overrides.flatMap((override) => {
    const { path, value } = splitOverride(override);
    const found = pathsIn(value, path).map((leaf) => useOf(schema, leaf, config));
    if (!found.every((use) => use !== undefined && !isRead(use, reading))) return [];
    const { reader } = reading;
    const reason = reader !== 'eval' && found.every((use) => use?.namesClasses) ? ': the weights tell the classes' : '';
    return [`--set ${clip(override, 200)}: without effect, ${reader} does not read ${clip(path.join('.'))}${reason}`];
  });
}

const isRead = ({ readers, namesClasses }: Use, { reader, knowsClasses }: Reading): boolean =>
  readers.includes(reader) || (namesClasses && !knowsClasses && reader !== 'eval');

/** What is said of a value, or of the innermost one around it of which anything is said. */
function useOf(schema: z.ZodType, [key, ...rest]: readonly string[], value: unknown): Use | undefined {
  if (key === undefined) return readBy.get(schema);
  const inner = schemasBelow(schema, key, value).map((next) => useOf(next, rest, childValue(value, key)));
  return inner.find((use) => use !== undefined) ?? readBy.get(schema);
}

/** The paths of the values that a mapping gives, or that of a value itself. */
function pathsIn(value: unknown, path: readonly string[]): (readonly string[])[] {
  if (!isRecord(value) || Object.keys(value).length === 0) return [path];
  return Object.entries(value).flatMap(([key, inner]) => pathsIn(inner, [...path, key]));
}
