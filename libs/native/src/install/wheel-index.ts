/** TensorFlow's wheels on Python's package index, found by pip. */
import { basename, join } from 'node:path';
import { RuntimeError } from '@pyramidal/kernels/engine';
import { download } from './download';
import { downloadDraft, downloadFile } from './downloads-folder';
import { namesIn } from './own-folder';
import { type Python, runPython } from './python';
import type { RouteContext } from './route';
import { lastLine } from './run-command';

interface PipReport {
  readonly install: readonly {
    readonly download_info: {
      readonly url: string;
      readonly archive_info?: { readonly hashes?: { readonly sha256?: string } };
    };
    readonly metadata: { readonly requires_dist?: readonly string[] };
  }[];
}

type Surroundings = Pick<RouteContext, 'cache' | 'env' | 'progress'>;

/** The Python whose wheels are taken; the libraries inside do not depend on it. */
const WHEEL_PYTHON = '3.12';

const PROCESSOR: Record<string, string> = { x64: 'x86_64', arm64: 'aarch64' };

/** Which wheels fit a machine: on Linux every manylinux that its C library is new enough for; elsewhere pip knows. */
export function platformTags(platform: NodeJS.Platform, arch: string, glibc: string | undefined): string[] {
  if (platform !== 'linux') return [];
  const processor = PROCESSOR[arch];
  if (!processor) throw new RuntimeError(`TensorFlow has no wheels for Linux on ${arch}`);
  if (!glibc) throw new RuntimeError('TensorFlow has no wheels for Linux without glibc (Alpine and others with musl)');
  const minor = Number(glibc.split('.')[1]);
  const tags = [17, 24, 27, 28, 31, 34, 35].filter((known) => known <= minor).map((known) => `manylinux_2_${known}`);
  return ['manylinux2014', ...tags].map((tag) => `${tag}_${processor}`);
}

/** The version of the C library that Node runs on; undefined with musl. */
export function glibcVersion(): string | undefined {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime;
}

/** Options that every question to pip carries: wheels for this machine, no dependencies, no long retrying. */
const pipOptions = () => [
  ...['--no-deps', '--quiet', '--disable-pip-version-check', '--retries', '1', '--timeout', '20'],
  ...['--only-binary=:all:', '--python-version', WHEEL_PYTHON],
  ...platformTags(process.platform, process.arch, glibcVersion()).flatMap((tag) => ['--platform', tag]),
];

/**
 * Downloads the wheels of requirements (`tensorflow-cpu==2.21.0`) that fit this machine. pip finds them; the transfer is
 * ours so that it can be resumed, or pip's where only pip gets through (a proxy, credentials, an old pip).
 * @returns paths, in the order of the requirements.
 */
export async function downloadWheels(
  python: Python,
  requirements: readonly [string, ...string[]],
  context: Surroundings,
): Promise<[string, ...string[]]> {
  const files: string[] = [];
  for (const requirement of requirements) {
    context.progress.step(`Downloading ${requirement}`);
    files.push(await downloadWheel(python, requirement, context));
  }
  return files as [string, ...string[]];
}

async function downloadWheel(
  python: Python,
  requirement: string,
  { cache, env, progress }: Surroundings,
): Promise<string> {
  const found = (await askPip(python, requirement, env))?.install[0]?.download_info;
  const sha256 = found?.archive_info?.hashes?.sha256;
  if (found?.url.startsWith('http') && sha256) {
    const file = downloadFile(cache, basename(new URL(found.url).pathname));
    try {
      await download(found.url, file, { checksum: { algorithm: 'sha256', digest: sha256 }, progress });
      return file;
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      progress.step(`${error.message}; leaving it to pip`);
    }
  }
  return pipDownload(python, requirement, cache, env);
}

/** The `Requires-Dist` lines of a package. */
export async function readRequirements(
  python: Python,
  requirement: string,
  { env }: Surroundings,
): Promise<readonly string[]> {
  const report = await askPip(python, requirement, env);
  if (!report) throw new RuntimeError('pip is too old to look up what a package requires; it needs 22.2 or newer');
  return report.install[0]?.metadata.requires_dist ?? [];
}

/** Undefined when this pip cannot report (older than 22.2). */
async function askPip(python: Python, requirement: string, env: NodeJS.ProcessEnv): Promise<PipReport | undefined> {
  const report = ['--dry-run', '--ignore-installed', '--report', '-', '--target', 'unused'];
  const args = ['-m', 'pip', 'install', ...pipOptions(), ...report, requirement];
  const { code, stdout, stderr } = await runPython(python, args, env);
  if (code === 0) return JSON.parse(stdout) as PipReport;
  if (/no such option/.test(stderr)) return undefined;
  throw pipFailure(requirement, stderr);
}

/** Into a folder of its own, since pip does not say what it saved. */
async function pipDownload(
  python: Python,
  requirement: string,
  cache: string,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const own = await downloadDraft(cache);
  const { code, stderr } = await runPython(
    python,
    ['-m', 'pip', 'download', ...pipOptions(), '-d', own, requirement],
    env,
  );
  if (code !== 0) throw pipFailure(requirement, stderr);
  const wheel = namesIn(own).find((name) => name.endsWith('.whl'));
  if (!wheel) throw new RuntimeError(`pip left no wheel of ${requirement} in ${own}`);
  return join(own, wheel);
}

function pipFailure(requirement: string, stderr: string): RuntimeError {
  if (/ConnectionError|ConnectTimeout|NameResolutionError|Max retries exceeded|ProxyError|SSLError/.test(stderr)) {
    return new RuntimeError(`pip cannot reach its package index for ${requirement}; check the network or the proxy`);
  }
  const errors = stderr.split('\n').filter((line) => line.startsWith('ERROR:'));
  const said = (errors[0] ?? lastLine(stderr)).replace(/^ERROR: /, '');
  return new RuntimeError(`pip found no wheel of ${requirement}: ${said.slice(0, 300)}`);
}
