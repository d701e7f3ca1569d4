/** Whether the commands that a document tells readers to type exist. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ShellCommand } from './document';

/** What a workspace offers to type. */
export interface Offer {
  readonly scripts: ReadonlySet<string>;
  readonly projects: ReadonlySet<string>;
  exists(path: string): boolean;
}

export function offerOf(root: string, projects: Iterable<string>): Offer {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  return {
    scripts: new Set(Object.keys(scripts)),
    projects: new Set(projects),
    exists: (path) => existsSync(join(root, path)),
  };
}

/** @returns a line for each command that names a script, a project or a configuration which is not there. */
export function commandProblems(commands: readonly ShellCommand[], offer: Offer): string[] {
  return commands.flatMap(({ text, line }) => {
    const problems: string[] = [];
    for (const [, script] of text.matchAll(/\bnpm run (?:--?[\w-]+ )*([\w:]+)/g)) {
      if (!offer.scripts.has(script!)) problems.push(`npm run ${script}: there is no such script`);
    }
    for (const [, project] of text.matchAll(/\bnpx nx (?:test|build|lint|typecheck) ([\w-]+)/g)) {
      if (!offer.projects.has(project!)) problems.push(`nx: there is no project ${project}`);
    }
    for (const [path] of text.matchAll(/\bconfigs\/[\w./-]+\.ya?ml\b/g)) {
      if (!offer.exists(path)) problems.push(`${path} is not there`);
    }
    return problems.map((problem) => `line ${line}: ${problem}`);
  });
}
