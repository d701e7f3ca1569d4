/** Compiles the addon of tfjs-node, and what is loaded ahead of TensorFlow, against a library. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { RuntimeError } from '@pyramidal/kernels/engine';
import { hasSessionHeaders, type TensorFlowLibrary } from './library';
import { lastLine, runCommand } from './run-command';

/** The version of Node-API that the addon is built for; every Node since 12.19 has it, so one build serves them all. */
export const NODE_API_VERSION = 8;

const FLAGS = ['-std=c++17', '-O2', '-fPIC', '-DBUILDING_NODE_EXTENSION', `-DNAPI_VERSION=${NODE_API_VERSION}`];

/** Those that TensorFlow itself is built with; its headers give thousands of warnings. */
const SESSION_FLAGS = ['-D_GLIBCXX_USE_CXX11_ABI=1', '-DEIGEN_MAX_ALIGN_BYTES=64', '-w'];

const ADVICE: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'install one, for example with `apt-get install g++` or `dnf install gcc-c++`',
  darwin: 'install one with `xcode-select --install`',
};

/** The first C++ compiler that answers: `CXX`, then the usual names. */
export async function findCompiler(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  for (const name of [env.CXX, 'g++', 'c++', 'clang++']) {
    if (name && (await runCommand(name, ['--version'], { env })).code === 0) return name;
  }
  return undefined;
}

export function compilerAdvice(platform: NodeJS.Platform = process.platform): string {
  return `no C++ compiler found (looked for g++, c++, clang++); ${ADVICE[platform] ?? 'install one'}`;
}

/** The C++ sources of tfjs-node's addon. */
function addonSources(): string[] {
  return sourcesIn(join(tfjsNodeFolder(), 'binding'));
}

const lacking = (what: string): RuntimeError =>
  new RuntimeError(`this copy of @pyramidal/native lacks the addon's sources (${what}); install it again`);

/** @throws RuntimeError where this package was built without them, or lost them. */
function tfjsNodeFolder(): string {
  try {
    return dirname(createRequire(__filename).resolve('#tfjs-node/package.json'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'MODULE_NOT_FOUND' && code !== 'ENOENT') throw error;
    throw lacking('folder tfjs-node');
  }
}

/** The C++ source of what is loaded ahead of TensorFlow, to set its log level. */
const EARLY = join(__dirname, '..', '..', 'cpp', 'early.cc');

/** The C++ sources of the addon for graphs, with their headers. */
const SESSIONS = join(__dirname, '..', '..', 'cpp', 'session');

const sourcesIn = (folder: string): string[] => filesIn(folder).filter((name) => name.endsWith('.cc'));

/** @throws RuntimeError where the folder is missing from this package. */
function filesIn(folder: string): string[] {
  if (!existsSync(folder)) throw lacking(`folder ${basename(folder)}`);
  const names = readdirSync(folder).sort();
  return names.map((name) => join(folder, name));
}

/** Names everything that an addon's bytes depend on besides the library: flags and sources. */
export function sourceDigest(): string {
  const hash = createHash('sha256').update([...FLAGS, ...SESSION_FLAGS].join(' '));
  if (!existsSync(EARLY)) throw lacking('file early.cc');
  for (const file of [...addonSources(), EARLY, ...filesIn(SESSIONS)]) hash.update(readFileSync(file));
  return hash.digest('hex');
}

/**
 * Compiles tfjs-node's addon against a library into `folder`, with the library's folder as its run-time search path.
 * @returns path of the addon.
 * @throws RuntimeError when there is no compiler or it fails.
 */
export async function compileAddon(
  library: TensorFlowLibrary,
  folder: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const compiler = await findCompiler(env);
  if (!compiler) throw new RuntimeError(compilerAdvice());
  const addon = join(folder, 'tfjs_binding.node');
  const nodeApi = createRequire(__filename)('node-api-headers') as { include_dir: string };
  const result = await runCommand(
    compiler,
    [
      ...[...FLAGS, ...SHARED, `-I${nodeApi.include_dir}`, `-I${library.include}`, ...addonSources()],
      ...(await compileEarly(compiler, library, folder, env)),
      ...library.objects.map((name) => join(library.folder, name)),
      ...[`-Wl,-rpath,${library.folder}`, '-o', addon],
    ],
    { env },
  );
  if (result.code === 0) return addon;
  if (/No space left on device/.test(result.stderr)) throw diskFull(folder, env);
  throw new RuntimeError(
    `${compiler} could not compile the addon against ${library.folder}: ${firstError(result.stderr)}`,
  );
}

/** Compilers write into the folder for temporary files first. */
function diskFull(folder: string, env: NodeJS.ProcessEnv): RuntimeError {
  return new RuntimeError(
    `the disk is full: the compiler needs some 50 MB in ${env.TMPDIR ?? tmpdir()} and in ${folder}`,
  );
}

const SHARED = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];

/** Options that link what comes before TensorFlow; none where it does not compile, and then logs show. */
async function compileEarly(
  compiler: string,
  library: TensorFlowLibrary,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<string[]> {
  if (process.platform !== 'linux' || !existsSync(join(library.include, 'absl', 'log', 'globals.h'))) return [];
  const object = join(folder, 'libearly.so');
  const args = [
    ...FLAGS,
    '-shared',
    `-I${library.include}`,
    `-DPYRAMIDAL_TENSORFLOW=${JSON.stringify(library.folder)}`,
    EARLY,
    '-Wl,-z,initfirst,-z,nodelete,-soname,libearly.so',
    '-o',
    object,
  ];
  if ((await runCommand(compiler, args, { env })).code !== 0) return [];
  return ['-Wl,--no-as-needed', object, '-Wl,-rpath,$ORIGIN'];
}

/** The addon for graphs; it lies beside tfjs-node's. */
export const SESSION_ADDON = 'session.node';

/**
 * Compiles the addon for graphs, in one piece: TensorFlow's headers take most of the time. It goes through TensorFlow's C++
 * interface, so it fits the library that it is compiled against alone.
 * @returns why it is not there, or undefined where it is.
 * @throws RuntimeError when the disk is full.
 */
export async function compileSessions(
  library: TensorFlowLibrary,
  folder: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  if (!hasSessionHeaders(library)) return `${library.folder} has no headers of TensorFlow's C++ interface`;
  const compiler = await findCompiler(env);
  if (!compiler) return compilerAdvice();
  const nodeApi = createRequire(__filename)('node-api-headers') as { include_dir: string };
  const result = await runCommand(
    compiler,
    [
      ...[...FLAGS, ...SESSION_FLAGS, ...SHARED, `-I${nodeApi.include_dir}`, `-I${library.include}`],
      ...sourcesIn(SESSIONS).flatMap((source) => ['-include', source]),
      ...['-x', 'c++', '/dev/null', '-x', 'none'],
      // Without it a library of which only constructors are used is left out, and no kind of session is known.
      ...(process.platform === 'linux' ? ['-Wl,--no-as-needed', '-Wl,-z,nodelete'] : []),
      ...library.objects.map((name) => join(library.folder, name)),
      ...[`-Wl,-rpath,${library.folder}`, '-o', join(folder, SESSION_ADDON)],
    ],
    { env },
  );
  if (/No space left on device/.test(result.stderr)) throw diskFull(folder, env);
  return result.code === 0 ? undefined : `${compiler}: ${firstError(result.stderr)}`;
}

const firstError = (stderr: string) =>
  stderr.split('\n').find((line) => /error|undefined reference|cannot find/.test(line)) ?? lastLine(stderr);
