/** Paths as they are typed on a command line. */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';

/** Where a program runs. */
export interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const HERE = (): Surroundings => ({ cwd: process.cwd(), env: process.env });

/**
 * The path that a user means. `npm run detect -- ...` runs in the folder of the package, also for a user who stands in a
 * folder below it: what is there from where the user stands is meant first, then what is there from the package's folder
 * (`configs/detection/sample.yaml` is typed anywhere), and what is not there yet is made where the user stands. Words of the
 * script itself mean the package's folder.
 */
export function userPath(path: string, { cwd, env }: Surroundings = HERE()): string {
  const { INIT_CWD: stands, npm_package_json: manifest, npm_lifecycle_script: script = '' } = env;
  const isFromNpm = stands !== undefined && manifest !== undefined && dirname(manifest) === cwd;
  if (!isFromNpm || stands === cwd || script.includes(path)) return path;
  if (isAbsolute(path)) return path;
  const own = resolve(stands, path);
  if (!existsSync(own) && existsSync(resolve(cwd, path))) return path;
  return relative(cwd, own) || '.';
}
