/** `--set key=value`. */
import type { z } from 'zod';
import type { Content, Located, Origin } from './located';
import { toPlain } from './located';
import { clip } from './clip';
import { MAX_DEPTH } from './parse-yaml';
import { parseValue } from './read-yaml';
import { schemasAt } from './schema-walk';
import { UsageError } from './usage-error';

/**
 * Lays `--set path=value` overrides over a configuration, in order. A value is read as YAML; where the schema wants
 * text, `--set name=12` stays text.
 * @throws UsageError if an override is not of the form `a.b=value`.
 */
export function applyOverrides(root: Located, overrides: readonly string[], schema: z.ZodType): Located {
  return overrides.reduce((tree, override) => applyOverride(tree, override, schema), root);
}

/** The keys of an override that was applied, and its value. */
export function splitOverride(override: string): { readonly path: readonly string[]; readonly value: unknown } {
  const equals = override.indexOf('=');
  const path = override.slice(0, equals).split('.');
  const text = override.slice(equals + 1);
  const parsed = parseValue(text, { argument: `--set ${override}`, path: path.join('.') });
  return { path, value: parsed === undefined ? text : toPlain(parsed) };
}

function applyOverride(root: Located, override: string, schema: z.ZodType): Located {
  const equals = override.indexOf('=');
  const path = override.slice(0, Math.max(equals, 0)).split('.');
  if (equals < 1 || path.some((key) => key.trim() === '')) {
    throw new UsageError(`--set ${clip(override, 200)}: expected KEY=VALUE, for instance train.epochs=1`);
  }
  if (path.length > MAX_DEPTH) {
    throw new UsageError(`--set ${clip(override, 200)}: expected at most ${MAX_DEPTH} keys, received ${path.length}`);
  }
  const origin: Origin = { argument: `--set ${override}`, path: path.join('.') };
  const text = override.slice(equals + 1);
  const node = readValue(text, origin, schemasAt(schema, path, toPlain(root)));
  return place(root, path, node, origin);
}

function readValue(text: string, origin: Origin, schemas: readonly z.ZodType[]): Located {
  const accepted = (value: unknown): boolean => schemas.some((schema) => schema.safeParse(value).success);
  const parsed = parseValue(text, origin);
  const wantsText = parsed === undefined || (!accepted(toPlain(parsed)) && accepted(text));
  return wantsText ? { origin, content: text } : parsed;
}

/** A copy of the tree with a node put at a path; mappings on the way are made, values in the way replaced. */
function place(tree: Located | undefined, path: readonly string[], node: Located, origin: Origin): Located {
  const [key, ...rest] = path;
  if (key === undefined) return node;
  const content = tree?.content;
  if (Array.isArray(content) && /^\d+$/.test(key) && Number(key) < content.length) {
    const items: Content = content.map((item, i) => (i === Number(key) ? place(item, rest, node, origin) : item));
    return { origin: tree!.origin, content: items };
  }
  const entries = content instanceof Map ? content : new Map<string, Located>();
  const child = place(entries.get(key), rest, node, origin);
  return { origin: content instanceof Map ? tree!.origin : origin, content: new Map([...entries, [key, child]]) };
}
