/** Commands that the reuse check runs, and the time of its steps. */
import { spawnSync } from 'node:child_process';

/** What a surrounding `npm run` tells its own command, and must not tell other workspaces. */
const OF_NPM_RUN = /^(npm_(?!config_(registry|cache)$)|INIT_CWD$|NX_|NODE_OPTIONS$)/i;

const environment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !OF_NPM_RUN.test(name))),
  CI: 'true',
  FORCE_COLOR: '0',
  NX_DAEMON: 'false',
});

/** Runs a command in a folder and returns what it prints; all of that is in the error where it fails. */
export function run(cwd: string, command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    ...{ cwd, env: environment(), encoding: 'utf8', maxBuffer: 1 << 26, timeout: 10 * 60_000 },
  });
  if (error !== undefined) throw error;
  if (status === 0) return stdout;
  throw new Error(`${[command, ...args].join(' ')}: exit code ${status}\n${stdout}${stderr}`);
}

/** Runs one step and tells how long it took. */
export function step<T>(name: string, work: () => T): T {
  const start = performance.now();
  const result = work();
  console.log(`${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${name}`);
  return result;
}
