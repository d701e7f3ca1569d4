/** package.json as these checks read it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Code and the types beside it. */
interface Code {
  readonly types: string;
  readonly default: string;
}

/** One entry of a package: where it is found, by who asks. */
export interface EntryPoint {
  readonly '@pyramidal/source'?: string;
  readonly types?: string;
  readonly node?: Code;
  readonly import?: Code;
  /** A plain path, by which Nx sees that the package is built. */
  readonly default?: string;
}

/** What is read of a package.json here. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string | EntryPoint>>;
  readonly imports?: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly nx?: { readonly targets?: object };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly [field: string]: unknown;
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** The entries that hold code, by the name that importers use: `.`, `./node`. */
export function entryPoints({ exports = {} }: Manifest): [name: string, entry: EntryPoint][] {
  return Object.entries(exports).filter((entry): entry is [string, EntryPoint] => typeof entry[1] === 'object');
}

/** Sources of the ES modules that the package names, in `exports` for others and in `imports` for itself. */
export function esmSources({ exports, imports }: Manifest): string[] {
  const named = JSON.stringify([exports, imports]).matchAll(/"\.\/esm\/([^"]+)\.mjs"/g);
  return Array.from(named, ([, path]) => `src/${path}.ts`);
}
