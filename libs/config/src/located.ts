/** Values that know where they were written. */
import { clip } from './clip';

/** Where a value was written. */
export type Origin =
  | { readonly file: string; readonly line: number }
  /** An argument of the command line, such as `--set train.epochs=1`, which gives the value at a path. */
  | { readonly argument: string; readonly path: string };

/** A value that remembers, at every level, where it was written. */
export interface Located {
  readonly origin: Origin;
  readonly content: Content;
}

export type Content = string | number | boolean | null | Map<string, Located> | Located[];

export type Path = readonly PropertyKey[];

export function formatOrigin(origin: Origin): string {
  return 'argument' in origin ? clip(origin.argument, 200) : `${origin.file}:${origin.line}`;
}

export const formatPath = (path: Path): string => path.map((key) => clip(String(key))).join('.');

/** The value alone. */
export function toPlain({ content }: Located): unknown {
  if (content instanceof Map) return Object.fromEntries([...content].map(([key, node]) => [key, toPlain(node)]));
  return Array.isArray(content) ? content.map(toPlain) : content;
}

/** The node at a path, or the deepest one on the way to it. */
export function nearest(root: Located, path: Path): Located {
  const [key, ...rest] = path;
  const child = key === undefined ? undefined : childOf(root, key);
  return child === undefined ? root : nearest(child, rest);
}

/** What stands in a mapping or a list at a key. */
export function childOf({ content }: Located, key: PropertyKey): Located | undefined {
  if (content instanceof Map) return content.get(String(key));
  return Array.isArray(content) ? content[Number(key)] : undefined;
}

/**
 * `over` laid over `base`: mappings join key by key, everything else is replaced. A mapping that names another kind
 * of thing (another `name`) than the one below replaces it too: the options of the one are not the other's.
 */
export function overlay(base: Located, over: Located): Located {
  const [below, above] = [base.content, over.content];
  if (!(below instanceof Map && above instanceof Map) || differsInName(below, above)) return over;
  const joined = new Map(below);
  for (const [key, node] of above) {
    const covered = below.get(key);
    joined.set(key, covered === undefined ? node : overlay(covered, node));
  }
  return { origin: over.origin, content: joined };
}

function differsInName(below: Map<string, Located>, above: Map<string, Located>): boolean {
  const [old, next] = [below.get('name'), above.get('name')];
  return old !== undefined && next !== undefined && old.content !== next.content;
}
