/** A YAML file as a tree of located values. */
import { toPlain, type Located, type Origin } from './located';
import { parseYaml } from './parse-yaml';
import { readText } from './read-text';
import { ConfigError } from './usage-error';

/** A file's tree: its root is a mapping. */
export interface LocatedMapping extends Located {
  readonly content: Map<string, Located>;
}

/**
 * Reads one YAML file whose root is a mapping.
 * @throws UsageError if the file cannot be read; ConfigError with every problem of syntax in it.
 */
export function readYaml(file: string): LocatedMapping {
  return parseMapping(readText(file), file);
}

/**
 * The values of a YAML file that is no configuration of ours, by the same rules and within the same limits.
 * @throws UsageError if the file cannot be read; ConfigError with every problem of syntax in it.
 */
export function readMapping(file: string): Readonly<Record<string, unknown>> {
  return toPlain(readYaml(file)) as Record<string, unknown>;
}

/** The same of text that is no file of its own. @param file what errors call it. */
export function parseMapping(text: string, file: string): LocatedMapping {
  const { root, problems } = parseYaml(text, (line) => ({ file, line }));
  if (problems.length > 0) {
    throw new ConfigError(problems.map(({ line, message }) => ({ where: `${file}:${line}`, path: '', message })));
  }
  const { origin, content } = root;
  if (content === null) throw new ConfigError([{ where: file, path: '', message: 'the file is empty' }]);
  if (!(content instanceof Map)) {
    throw new ConfigError([{ where: file, path: '', message: 'expected `key: value` lines at the top level' }]);
  }
  return { origin, content };
}

/**
 * The value of a `--set` override, written as YAML.
 * @returns undefined if the text is not one YAML value.
 */
export function parseValue(text: string, origin: Origin): Located | undefined {
  const { root, problems } = parseYaml(text, () => origin);
  return problems.length > 0 ? undefined : root;
}
