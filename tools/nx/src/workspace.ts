/** What the generators need to know of a workspace. */
import { readJson, readNxJson, type Tree, updateJson } from '@nx/devkit';
import { parse, parseDocument } from 'yaml';

/** How a workspace keeps its projects. */
export interface Workspace {
  /** Globs of the package manager's workspaces; absent where projects are not packages of their own. */
  readonly packages: readonly string[] | undefined;
  /** Prefix of its packages' names, such as `@acme/`, or nothing. */
  readonly scope: string;
  /** A tsconfig.base.json that the projects' own extend. */
  readonly base: boolean;
  /** A root tsconfig.json that only refers to the projects' own. */
  readonly references: boolean;
  /** Nx derives typecheck and build targets from the projects' tsconfig files. */
  readonly infersTypeScript: boolean;
  /** Condition under which packages export their source. */
  readonly sourceCondition: string | undefined;
}

const PNPM = 'pnpm-workspace.yaml';
const BASE = 'tsconfig.base.json';

interface RootPackage {
  readonly name?: string;
  readonly workspaces?: readonly string[] | { readonly packages?: readonly string[] };
}

interface TsConfig {
  readonly files?: readonly string[];
  readonly compilerOptions?: { readonly customConditions?: readonly string[] };
}

export function describeWorkspace(tree: Tree): Workspace {
  const { name, workspaces } = readJson<RootPackage>(tree, 'package.json');
  const plugins = readNxJson(tree)?.plugins ?? [];
  const jsonOf = (file: string): TsConfig => (tree.exists(file) ? readJson<TsConfig>(tree, file) : {});
  return {
    packages: tree.exists(PNPM) ? pnpmPackages(tree) : packageGlobs(workspaces),
    scope: /^@[^/]+\//.exec(name ?? '')?.[0] ?? '',
    base: tree.exists(BASE),
    references: jsonOf('tsconfig.json').files?.length === 0,
    infersTypeScript: plugins.some((plugin) => nameOf(plugin) === '@nx/js/typescript'),
    sourceCondition: jsonOf(BASE).compilerOptions?.customConditions?.[0],
  };
}

/** Whether a folder is one of the package manager's workspaces. */
export function isPackage({ packages = [] }: Workspace, folder: string): boolean {
  return packages.some((glob) => globPattern(glob).test(folder));
}

/** Makes a folder one of the package manager's workspaces. */
export function addPackage(tree: Tree, folder: string): void {
  if (tree.exists(PNPM)) {
    const document = parseDocument(tree.read(PNPM, 'utf-8')!);
    document.addIn(['packages'], folder);
    return tree.write(PNPM, document.toString());
  }
  updateJson(tree, 'package.json', ({ workspaces, ...rest }) => ({
    ...rest,
    workspaces: Array.isArray(workspaces)
      ? [...workspaces, folder]
      : { ...workspaces, packages: [...workspaces.packages, folder] },
  }));
}

/** Lets the other projects import a library that is not a package of its own. */
export function addImportPath(tree: Tree, name: string, file: string): void {
  const config = [BASE, 'tsconfig.json'].find((candidate) => tree.exists(candidate)) ?? BASE;
  if (!tree.exists(config)) tree.write(config, '{}');
  updateJson(tree, config, ({ compilerOptions, ...rest }) => ({
    ...rest,
    compilerOptions: { ...compilerOptions, paths: { ...compilerOptions?.paths, [name]: [`./${file}`] } },
  }));
}

function pnpmPackages(tree: Tree): readonly string[] | undefined {
  return (parse(tree.read(PNPM, 'utf-8')!) as { packages?: string[] } | null)?.packages;
}

function packageGlobs(workspaces: RootPackage['workspaces']): readonly string[] | undefined {
  return workspaces instanceof Array ? workspaces : (workspaces as { packages?: readonly string[] })?.packages;
}

function nameOf(plugin: string | { plugin: string }): string {
  return typeof plugin === 'string' ? plugin : plugin.plugin;
}

/** `packages/*` covers the folders in packages, `packages/**` those below them as well. */
function globPattern(glob: string): RegExp {
  const folder = glob.replace(/^\.\//, '').replace(/\/$/, '');
  const literal = folder.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replace(/\*+/g, (stars) => (stars === '*' ? '[^/]+' : '.+'))}$`);
}
