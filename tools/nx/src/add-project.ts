/** Adds a project's files to a workspace. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  addDependenciesToPackageJson,
  addProjectConfiguration,
  type GeneratorCallback,
  installPackagesTask,
  joinPathFragments,
  type ProjectConfiguration,
  type TargetConfiguration,
  type Tree,
  updateJson,
  writeJson,
} from '@nx/devkit';
import type { ProjectPlan } from './plan-project';
import { addImportPath, addPackage, isPackage } from './workspace';

type Versions = Readonly<Record<string, string>>;

/** What a project is made of besides its files. */
export interface ProjectParts {
  readonly type: 'application' | 'library';
  readonly targets: Readonly<Record<string, TargetConfiguration>>;
  readonly dependencies: Versions;
  readonly devDependencies: Versions;
  /** Further fields of its package.json, where it has one. */
  readonly packageJson?: Readonly<Record<string, unknown>>;
}

/** What runs and checks TypeScript, for the whole workspace. */
const TOOLS: Versions = { '@types/node': '^20.19.0', tsx: '^4.23.15', typescript: '^5.9.3' };

/** These packages in the version of the generators, which all packages of a release share. */
export function ourPackages(...names: readonly string[]): Versions {
  const { version } = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8')) as { version: string };
  return Object.fromEntries(names.map((name) => [`@pyramidal/${name}`, `^${version}`]));
}

/** Registers a project as the workspace keeps its projects, and names what it needs. Returns the installation. */
export function addProject(tree: Tree, plan: ProjectPlan, parts: ProjectParts): GeneratorCallback {
  if (plan.workspace.packages === undefined) addClassicProject(tree, plan, parts);
  else addPackageProject(tree, plan, parts);
  if (plan.workspace.references) addReference(tree, plan.root);
  addDependenciesToPackageJson(tree, {}, { ...TOOLS }, 'package.json', true);
  return () => installPackagesTask(tree);
}

/** A project.json; dependencies and import path belong to the workspace. */
function addClassicProject(tree: Tree, plan: ProjectPlan, parts: ProjectParts): void {
  const { type, targets, dependencies, devDependencies } = parts;
  const { name, root, importName, tags } = plan;
  const project: ProjectConfiguration = {
    root,
    sourceRoot: `${root}/src`,
    projectType: type,
    tags: [...tags],
    targets,
  };
  addProjectConfiguration(tree, name, project);
  addDependenciesToPackageJson(tree, { ...dependencies }, { ...devDependencies }, 'package.json', true);
  if (type === 'library') addImportPath(tree, importName, `${root}/src/index.ts`);
}

/** A package of its own, one of the package manager's workspaces. */
function addPackageProject(tree: Tree, plan: ProjectPlan, parts: ProjectParts): void {
  const { targets, dependencies, devDependencies, packageJson } = parts;
  const { name, root, importName, tags, workspace } = plan;
  writeJson(tree, joinPathFragments(root, 'package.json'), {
    name: importName,
    version: '0.0.1',
    private: true,
    type: 'module',
    ...packageJson,
    nx: { name, tags, targets },
    dependencies,
    devDependencies,
  });
  if (!isPackage(workspace, root)) addPackage(tree, root);
}

/** `tsc --build` at the root checks the project too. */
function addReference(tree: Tree, root: string): void {
  updateJson(tree, 'tsconfig.json', ({ references = [], ...rest }) => ({
    ...rest,
    references: [...references, { path: `./${root}` }],
  }));
}
