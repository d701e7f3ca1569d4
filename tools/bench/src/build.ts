import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Compiles a project and what it depends on, so that a contender runs as users run it: from JavaScript on disk. */
export function build(project: string): void {
  const tsc = require.resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-b', project], { cwd: join(__dirname, '../../..'), stdio: 'inherit' });
}
