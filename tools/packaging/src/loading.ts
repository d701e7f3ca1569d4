/** Checks that every entry of a package loads in Node, imported and required. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { entryPoints } from './manifest';
import { specifierOf, type WorkspacePackage } from './workspace';

/** Imports and requires every entry in a Node of its own. @param node its executable. */
export function loadingProblems(packages: readonly WorkspacePackage[], node: string): string[] {
  const names = packages.flatMap(({ manifest }) =>
    entryPoints(manifest).map(([entry]) => specifierOf(manifest, entry)),
  );
  const { error, status, stdout, stderr } = spawnSync(node, [join(__dirname, 'load-entries.mjs'), ...names], {
    encoding: 'utf8',
  });
  if (error) return [error.message];
  const problems = stdout.split('\n').filter((line) => line !== '');
  return status === 0 ? problems : [...problems, `${node}: ${stderr.trim()}`];
}
