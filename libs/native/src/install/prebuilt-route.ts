/** The official downloads of tfjs-node. */
import { copyFile, mkdir, open, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join, relative, sep } from 'node:path';
import { RuntimeError } from '@pyramidal/kernels/engine';
import { NODE_API_VERSION } from './compile-addon';
import { download } from './download';
import { downloadFile } from './downloads-folder';
import { sha256Of } from './file-stamp';
import { sharedObjects } from './library';
import { findStored, storeFolder } from './library-store';
import type { FoundLibrary, RouteContext } from './route';
import { unzip } from './unpack-wheel';

/** What tfjs-node's published addon was linked against. */
const LIBTENSORFLOW_VERSION = '2.9.1';

const HOST = 'https://storage.googleapis.com/';

/** The platforms that tfjs-node publishes a library and an addon for. */
const PUBLISHED: Record<string, { readonly system: string; readonly archive: 'tar.gz' | 'zip' }> = {
  'linux-x64': { system: 'linux', archive: 'tar.gz' },
  'darwin-x64': { system: 'darwin', archive: 'tar.gz' },
  'win32-x64': { system: 'windows', archive: 'zip' },
};

/** The addon looks for its library in `../../deps/lib`; on Windows beside itself. */
const LIBRARY_FOLDER = 'deps';
const ADDON_FOLDER = join('lib', `napi-v${NODE_API_VERSION}`);

interface PrebuiltUrls {
  readonly library: string;
  readonly addon: string;
}

/**
 * The official downloads of tfjs-node: a C library and an addon linked against it. They need no compiler and no Python,
 * and are of an old TensorFlow.
 */
export async function fromPrebuilt(context: RouteContext): Promise<FoundLibrary> {
  const urls = prebuiltUrls(context.engine, process.platform, process.arch, context.env);
  const name = `prebuilt-${context.engine}-${LIBTENSORFLOW_VERSION}-${process.platform}-${process.arch}`;
  const stored = (await findStored(context.cache, name)) ?? (await fetchPrebuilt(urls, name, context));
  const folder = process.platform === 'win32' ? join(stored, ADDON_FOLDER) : join(stored, LIBRARY_FOLDER, 'lib');
  return {
    library: { folder, include: join(stored, LIBRARY_FOLDER, 'include'), objects: sharedObjects(folder) },
    stored,
    addon: join(stored, ADDON_FOLDER, 'tfjs_binding.node'),
    origin: `the official download of libtensorflow ${LIBTENSORFLOW_VERSION}`,
  };
}

/**
 * @param env `TFJS_NODE_CDN_STORAGE` names a mirror of the host, as it does for tfjs-node itself.
 * @throws RuntimeError for a platform that has no downloads.
 */
export function prebuiltUrls(
  engine: RouteContext['engine'],
  platform: NodeJS.Platform,
  arch: string,
  env: NodeJS.ProcessEnv,
): PrebuiltUrls {
  const published = PUBLISHED[`${platform}-${arch}`];
  const kind = engine === 'tensorflow-gpu' ? 'gpu' : 'cpu';
  if (!published || (kind === 'gpu' && platform === 'darwin')) {
    throw new RuntimeError(`there is no official download of ${engine} for ${platform} ${arch}`);
  }
  const { system, archive } = published;
  const host = (env.TFJS_NODE_CDN_STORAGE ?? HOST).replace(/\/?$/, '/');
  const { version } = createRequire(__filename)('#tfjs-node/package.json') as { version: string };
  const library = `libtensorflow-${kind}-${system}-x86_64-${LIBTENSORFLOW_VERSION}.${archive}`;
  const addon = `${kind.toUpperCase()}-${system}-${version}.${archive}`;
  return {
    library: `${host}tensorflow/libtensorflow/${library}`,
    addon: `${host}tf-builds/pre-built-binary/napi-v${NODE_API_VERSION}/${version}/${addon}`,
  };
}

async function fetchPrebuilt(urls: PrebuiltUrls, name: string, context: RouteContext): Promise<string> {
  const fetched = async (url: string) => {
    const file = downloadFile(context.cache, basename(url));
    context.progress.step(`Downloading ${basename(url)}`);
    await download(url, file, { progress: context.progress });
    return file;
  };
  const library = await fetched(urls.library);
  const addon = await fetched(urls.addon);
  const folder = await storeFolder(context.cache, name, async (draft) => {
    context.progress.step(`Unpacking ${basename(library)}`);
    await unpackArchive(library, join(draft, LIBRARY_FOLDER));
    await unpackArchive(addon, join(draft, 'lib'));
    const dll = join(draft, LIBRARY_FOLDER, 'lib', 'tensorflow.dll');
    if (process.platform === 'win32') await copyFile(dll, join(draft, ADDON_FOLDER, 'tensorflow.dll'));
    return digestTree(draft);
  });
  for (const file of [library, addon]) await rm(file, { force: true });
  return folder;
}

/** The Windows addon is a tar archive called `.zip`, so the first bytes decide. */
async function unpackArchive(file: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { extract } = await import('tar'); // here, because loading it takes 0.1 s and few need it
  try {
    if (await isZip(file)) await unzip(file, folder, () => true);
    else await extract({ file, cwd: folder, strict: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw error;
    await rm(file, { force: true });
    throw new RuntimeError(`${basename(file)} cannot be used: ${(error as Error).message}`);
  }
}

async function isZip(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return buffer.toString('latin1') === 'PK';
  } finally {
    await handle.close();
  }
}

async function digestTree(folder: string): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    digests.set(relative(folder, file).split(sep).join('/'), await sha256Of(file));
  }
  return digests;
}
