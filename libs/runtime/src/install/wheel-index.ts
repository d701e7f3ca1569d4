import { mkdir, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { RuntimeError } from '../runtime-error';
import { download } from './download';
import type { InstallProgress } from './progress';
import { type Python, runPython } from './python';
import { lastLine } from './run-command';

/** A wheel as pip found it, for this platform. */
interface FoundWheel {
  readonly url: string;
  readonly sha256: string;
}

interface PipReport {
  readonly install: readonly {
    readonly download_info: { readonly url: string; readonly archive_info?: { readonly hashes?: { sha256?: string } } };
  }[];
}

/** The Python whose wheels are taken; the library inside does not depend on it. */
const WHEEL_PYTHON = '3.12';

const PROCESSOR: Record<string, string> = { x64: 'x86_64', arm64: 'aarch64' };

/** Which wheels fit this machine: on Linux every manylinux that its C library is new enough for. */
export function platformTags(platform: NodeJS.Platform, arch: string, glibc: string | undefined): string[] {
  if (platform !== 'linux') return [];
  const processor = PROCESSOR[arch];
  if (!processor) throw new RuntimeError(`TensorFlow has no wheels for ${platform} ${arch}`);
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

const platformOptions = () => [
  ...['--only-binary=:all:', '--python-version', WHEEL_PYTHON],
  ...platformTags(process.platform, process.arch, glibcVersion()).flatMap((tag) => ['--platform', tag]),
];

/**
 * Downloads the wheel of a requirement (`tensorflow-cpu==2.21.0`) that fits this machine. pip finds it; the transfer is
 * ours so that it can be resumed, or pip's where only pip can reach the index (a proxy, credentials, an old pip).
 * @returns path of the wheel in `folder`.
 */
export async function downloadWheel(
  python: Python,
  requirement: string,
  folder: string,
  progress: InstallProgress,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const found = await resolveWheel(python, requirement, folder, env);
  if (found) {
    const file = join(folder, basename(new URL(found.url).pathname));
    try {
      await download(found.url, file, { checksum: { algorithm: 'sha256', digest: found.sha256 }, progress });
      return file;
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      progress.step(`${error.message}; trying with pip`);
    }
  }
  return pipDownload(python, requirement, folder, env);
}

/** Undefined when this pip cannot report (older than 22.2). */
async function resolveWheel(
  python: Python,
  requirement: string,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<FoundWheel | undefined> {
  const report = ['--dry-run', '--ignore-installed', '--quiet', '--report', '-', '--target', join(folder, 'unused')];
  const args = ['-m', 'pip', 'install', '--no-deps', ...report, ...platformOptions(), requirement];
  const { code, stdout, stderr } = await runPython(python, args, env);
  if (code !== 0) {
    if (/no such option/.test(stderr)) return undefined;
    throw pipFailure(requirement, stderr);
  }
  const info = (JSON.parse(stdout) as PipReport).install[0]?.download_info;
  const sha256 = info?.archive_info?.hashes?.sha256;
  return info?.url.startsWith('http') && sha256 ? { url: info.url, sha256 } : undefined;
}

async function pipDownload(
  python: Python,
  requirement: string,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const args = ['-m', 'pip', 'download', '--no-deps', '--quiet', '-d', folder, ...platformOptions(), requirement];
  const { code, stderr } = await runPython(python, args, env);
  if (code !== 0) throw pipFailure(requirement, stderr);
  const name = requirement.replace(/[=<>~!].*$/, '').replace(/-/g, '_');
  const wheel = (await readdir(folder)).find((file) => file.startsWith(`${name}-`) && file.endsWith('.whl'));
  if (!wheel) throw new RuntimeError(`pip left no wheel of ${requirement} in ${folder}`);
  return join(folder, wheel);
}

function pipFailure(requirement: string, stderr: string): RuntimeError {
  if (/NewConnectionError|ConnectTimeout|NameResolutionError|Max retries exceeded|ProxyError/.test(stderr)) {
    return new RuntimeError(`pip cannot reach its package index to find ${requirement}: check the network or the proxy`);
  }
  const errors = stderr.split('\n').filter((line) => line.startsWith('ERROR:'));
  return new RuntimeError(`pip found no wheel of ${requirement}: ${(errors.at(-1) ?? lastLine(stderr)).slice(0, 300)}`);
}
