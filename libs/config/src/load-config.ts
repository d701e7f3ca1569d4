/** A configuration read, overridden and checked. */
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { formatOrigin, overlay, type Located } from './located';
import { applyOverrides } from './overrides';
import { parseTree } from './parse-tree';
import { type LocatedMapping, readYaml } from './read-yaml';
import type { Recipe } from './recipes';
import type { StoredConfig } from './stored-config';
import { ConfigError } from './usage-error';

/** The path of a YAML file, a recipe on a backbone, or what a checkpoint brings along. */
export type ConfigSource = string | Recipe | StoredConfig;

export interface LoadOptions {
  /** Overrides such as `train.epochs=1`, the later ones stronger. */
  readonly set?: readonly string[];
}

export interface LoadedConfig<T> {
  readonly config: T;
  /** The resolved configuration as YAML, defaults written out: loading it again gives the same. */
  readonly text: string;
  /** What it was made from. */
  readonly source: {
    readonly file: string;
    readonly extends?: string;
    readonly backbone?: string;
    readonly set: readonly string[];
  };
}

/**
 * Reads a configuration: a YAML file laid over the one that it `extends`, a recipe, or a stored one; applies overrides, and checks the whole.
 * @throws ConfigError that lists every problem with file, line and path; UsageError if a file cannot be read.
 */
export function loadConfig<S extends z.ZodType>(
  schema: S,
  from: ConfigSource,
  { set = [] }: LoadOptions = {},
): LoadedConfig<z.output<S>> {
  const { tree, ...source } = typeof from === 'string' ? readWithBase(from) : layersOf(from);
  const config = parseTree(schema, applyOverrides(tree, set, schema));
  return {
    config,
    text: stringify(config, { aliasDuplicateObjects: false, lineWidth: 120 }),
    source: { ...source, set },
  };
}

function layersOf(from: Recipe | StoredConfig): { tree: Located; file: string; backbone?: string } {
  const { tree, file } = from;
  const backbone = 'backbone' in from ? from.backbone : undefined;
  return { tree, file, ...(backbone === undefined ? {} : { backbone }) };
}

function readWithBase(file: string): { tree: Located; file: string; extends?: string } {
  const own = takeExtends(readYaml(file));
  if (own.extends === undefined) return { tree: own.tree, file };
  const { origin, content } = own.extends;
  const fail = (message: string): never => {
    throw new ConfigError([{ where: formatOrigin(origin), path: 'extends', message }]);
  };
  if (typeof content !== 'string') return fail('expected the path of one configuration, beside this one');
  const base = isAbsolute(content) ? content : normalize(join(dirname(file), content));
  if (base === normalize(file)) return fail('a configuration cannot extend itself');
  const below = takeExtends(readBase(base, fail));
  if (below.extends !== undefined) {
    return fail(`${content} extends another configuration itself; only one level is allowed`);
  }
  return { tree: overlay(below.tree, own.tree), file, extends: base };
}

function readBase(base: string, fail: (message: string) => never): LocatedMapping {
  try {
    return readYaml(base);
  } catch (error) {
    // Problems inside the base name its own lines; that it cannot be read is told where it is asked for.
    if (error instanceof ConfigError) throw error;
    return fail((error as Error).message);
  }
}

function takeExtends({ origin, content }: LocatedMapping): { tree: Located; extends?: Located } {
  const entries = new Map(content);
  const found = entries.get('extends');
  entries.delete('extends');
  const tree = { origin, content: entries };
  return found === undefined ? { tree } : { tree, extends: found };
}
