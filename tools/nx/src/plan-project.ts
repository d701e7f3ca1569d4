/** Where a new project goes and what it is called. */
import { getProjects, joinPathFragments, offsetFromRoot, type Tree } from '@nx/devkit';
import { describeWorkspace, isPackage, type Workspace } from './workspace';

/** What the generators are told about the project to make. */
export interface ProjectOptions {
  readonly name: string;
  /** Folder from the workspace's root. */
  readonly directory?: string;
  /** More tags, separated by commas. */
  readonly tags?: string;
  readonly skipFormat?: boolean;
}

export interface ProjectKind {
  /** Name of the generator, which starts every message. */
  readonly generator: string;
  /** Folder that projects of this kind share where the workspace does not say otherwise. */
  readonly kind: 'apps' | 'libs';
  readonly tags: readonly string[];
}

/** Where a project goes and what it is called there. */
export interface ProjectPlan {
  readonly name: string;
  /** Folder from the workspace's root. */
  readonly root: string;
  /** Path from that folder back to the workspace's root, with a slash at the end. */
  readonly offset: string;
  /** Name that other projects import, with the workspace's scope. */
  readonly importName: string;
  readonly tags: readonly string[];
  readonly workspace: Workspace;
}

/**
 * Decides on folder and names, before anything is written.
 * @throws Error if the name or the folder is taken.
 */
export function planProject(tree: Tree, { generator, kind, tags }: ProjectKind, options: ProjectOptions): ProjectPlan {
  const workspace = describeWorkspace(tree);
  const { name, directory } = options;
  const root = joinPathFragments(directory ?? `${parentFolder(workspace, kind)}/${name}`).replace(/\/$/, '');
  const problem = problemOf(tree, root, options);
  if (problem !== undefined) throw new Error(`${generator}: ${problem}`);
  return {
    name,
    root,
    offset: offsetFromRoot(root),
    importName: `${workspace.scope}${name}`,
    tags: [...tags, ...(options.tags ?? '').split(',').map((tag) => tag.trim())].filter((tag) => tag !== ''),
    workspace,
  };
}

/** `apps` or `libs`, unless packages live in one folder for both, such as `packages`. */
function parentFolder(workspace: Workspace, kind: string): string {
  if (workspace.packages === undefined || isPackage(workspace, `${kind}/name`)) return kind;
  const shared = workspace.packages.find((glob) => /^[^*!]+\/\*$/.test(glob));
  return shared?.replace('/*', '') ?? kind;
}

function problemOf(tree: Tree, root: string, { name, directory }: ProjectOptions): string | undefined {
  const existing = getProjects(tree).get(name);
  if (existing !== undefined) return `there is a project '${name}' already, in ${existing.root}`;
  if (root === '.' || root.startsWith('..')) {
    return `--directory: expected a folder below the workspace's root, received '${directory}'`;
  }
  return tree.children(root).length > 0 ? `--directory: the folder ${root} is not empty` : undefined;
}
