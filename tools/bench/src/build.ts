/** Builds what a benchmark runs. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const WORKSPACE = join(__dirname, '../../..');

/**
 * Compiles a project and what it depends on, so that a contender runs as users run it: from JavaScript on disk. The native
 * engine's compiled package also needs its copy of the engine's sources.
 */
export function build(project: string): void {
  run('typescript/bin/tsc', '-b', project);
  run('nx/bin/nx.js', 'run', '@pyramidal/native:tfjs-node', '--outputStyle=static');
}

/** What it prints goes where progress goes, since standard output is the table's. */
function run(program: string, ...args: string[]): void {
  const env = { ...process.env, NX_DAEMON: 'false' };
  execFileSync(process.execPath, [require.resolve(program), ...args], { cwd: WORKSPACE, env, stdio: ['ignore', 2, 2] });
}
