import { dirname, join, normalize } from 'node:path';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { findProblems } from './find-problems';
import { formatOrigin, overlay, toPlain, type Located } from './located';
import { applyOverrides } from './overrides';
import { readYaml } from './read-yaml';
import { ConfigError } from './usage-error';

export interface LoadOptions {
  /** Overrides such as `train.epochs=1`, the later ones stronger. */
  readonly set?: readonly string[];
}

export interface LoadedConfig<T> {
  readonly config: T;
  /** The resolved configuration as YAML, defaults written out: loading it again gives the same. */
  readonly text: string;
  /** What it was made from. */
  readonly source: { readonly file: string; readonly extends?: string; readonly set: readonly string[] };
}

/**
 * Reads a YAML configuration, lays it over the one that it `extends`, applies overrides, and checks the whole.
 * @throws ConfigError that lists every problem with file, line and path; UsageError if a file cannot be read.
 */
export function loadConfig<S extends z.ZodType>(
  schema: S,
  file: string,
  { set = [] }: LoadOptions = {},
): LoadedConfig<z.output<S>> {
  const { tree, base } = readWithBase(file);
  const root = applyOverrides(tree, set, schema);
  const value = toPlain(root);
  const result = schema.safeParse(value);
  if (!result.success) throw new ConfigError(findProblems(result.error.issues, schema, root, value));
  return {
    config: result.data,
    text: stringify(result.data, { aliasDuplicateObjects: false, lineWidth: 120 }),
    source: { file, ...(base === undefined ? {} : { extends: base }), set },
  };
}

function readWithBase(file: string): { tree: Located; base?: string } {
  const own = takeExtends(readYaml(file));
  if (own.extends === undefined) return { tree: own.tree };
  const { origin, content } = own.extends;
  const fail = (message: string): never => {
    throw new ConfigError([{ where: formatOrigin(origin), path: 'extends', message }]);
  };
  if (typeof content !== 'string') return fail('expected the path of one configuration, beside this one');
  const base = normalize(join(dirname(file), content));
  if (base === normalize(file)) return fail('a configuration cannot extend itself');
  const below = takeExtends(readBase(base, fail));
  if (below.extends !== undefined) {
    return fail(`${content} extends another configuration itself; only one level is allowed`);
  }
  return { tree: overlay(below.tree, own.tree), base };
}

function readBase(base: string, fail: (message: string) => never): Located {
  try {
    return readYaml(base);
  } catch (error) {
    // Problems inside the base name its own lines; that it cannot be read is told where it is asked for.
    if (error instanceof ConfigError) throw error;
    return fail((error as Error).message);
  }
}

function takeExtends(root: Located): { tree: Located; extends?: Located } {
  const entries = new Map(root.content as Map<string, Located>);
  const found = entries.get('extends');
  entries.delete('extends');
  const tree = { origin: root.origin, content: entries };
  return found === undefined ? { tree } : { tree, extends: found };
}
