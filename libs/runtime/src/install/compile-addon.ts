import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RuntimeError } from '../runtime-error';
import type { TensorFlowLibrary } from './library';
import { lastLine, runCommand } from './run-command';

/** The version of Node-API that the addon is built for; every Node since 12.19 has it, so one build serves them all. */
export const NODE_API_VERSION = 8;

const FLAGS = ['-std=c++17', '-O2', '-fPIC', '-DBUILDING_NODE_EXTENSION', `-DNAPI_VERSION=${NODE_API_VERSION}`];

const COMPILER_ADVICE: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'install one, for example `apt-get install g++` or `dnf install gcc-c++`',
  darwin: 'install one with `xcode-select --install`',
  win32: 'compiling is not supported on Windows; use the prebuilt route',
};

/** The first C++ compiler that answers: `CXX`, then the usual names. */
export async function findCompiler(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  for (const name of [env.CXX, 'g++', 'c++', 'clang++']) {
    if (name && (await runCommand(name, ['--version'], { env })).code === 0) return name;
  }
  return undefined;
}

export function compilerAdvice(platform: NodeJS.Platform = process.platform): string {
  return `no C++ compiler found (looked for g++, c++, clang++); ${COMPILER_ADVICE[platform] ?? 'install one'}`;
}

/** The C++ sources of tfjs-node's addon, and ours beside them. */
function sources(): string[] {
  const binding = join(dirname(createRequire(__filename).resolve('@tensorflow/tfjs-node/package.json')), 'binding');
  const own = join(__dirname, '..', '..', 'native');
  return [binding, own].flatMap((folder) => cppFiles(folder).map((name) => join(folder, name)));
}

const cppFiles = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.cc'))
    .sort();

/** Names everything that an addon's bytes depend on besides the library: flags and sources. */
export function sourceDigest(): string {
  const hash = createHash('sha256').update(FLAGS.join(' '));
  for (const file of sources()) hash.update(readFileSync(file));
  return hash.digest('hex');
}

/**
 * Compiles tfjs-node's addon against a library, with that library's folder as its run-time search path.
 * @throws RuntimeError when there is no compiler or it fails.
 */
export async function compileAddon(
  library: TensorFlowLibrary,
  output: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const compiler = await findCompiler(env);
  if (!compiler) throw new RuntimeError(compilerAdvice());
  const nodeApi = createRequire(__filename)('node-api-headers') as { include_dir: string };
  const result = await runCommand(
    compiler,
    [
      ...FLAGS,
      ...(process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared']),
      ...[`-I${nodeApi.include_dir}`, `-I${library.include}`],
      ...sources(),
      ...library.objects.map((name) => join(library.folder, name)),
      ...[`-Wl,-rpath,${library.folder}`, '-o', output],
    ],
    { env },
  );
  if (result.code === 0) return;
  throw new RuntimeError(
    `${compiler} could not compile the addon against ${library.folder}: ${firstError(result.stderr)}`,
  );
}

const firstError = (stderr: string) =>
  stderr.split('\n').find((line) => /error|undefined reference|cannot find/.test(line)) ?? lastLine(stderr);
