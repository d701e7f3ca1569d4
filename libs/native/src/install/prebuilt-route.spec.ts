import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from 'tar';
import { fakeMachine, type FakeMachine, noise } from '@pyramidal/testing/machine';
import { type FileServer, serveFiles } from '../../test-support/file-server';
import { fromPrebuilt, prebuiltUrls } from './prebuilt-route';
import { SILENT } from './progress';

describe('prebuiltUrls', () => {
  it('follows the naming of the official downloads', () => {
    expect(prebuiltUrls('tensorflow', 'linux', 'x64', {})).toEqual({
      library: 'https://storage.googleapis.com/tensorflow/libtensorflow/libtensorflow-cpu-linux-x86_64-2.9.1.tar.gz',
      addon: 'https://storage.googleapis.com/tf-builds/pre-built-binary/napi-v8/4.22.0/CPU-linux-4.22.0.tar.gz',
    });
    expect(prebuiltUrls('tensorflow-gpu', 'win32', 'x64', { TFJS_NODE_CDN_STORAGE: 'http://mirror' })).toEqual({
      library: 'http://mirror/tensorflow/libtensorflow/libtensorflow-gpu-windows-x86_64-2.9.1.zip',
      addon: 'http://mirror/tf-builds/pre-built-binary/napi-v8/4.22.0/GPU-windows-4.22.0.zip',
    });
  });

  it('names the platform that has none', () => {
    expect(() => prebuiltUrls('tensorflow', 'linux', 'arm64', {})).toThrow(
      'there is no official download of tensorflow for linux arm64',
    );
    expect(() => prebuiltUrls('tensorflow-gpu', 'darwin', 'x64', {})).toThrow(
      'there is no official download of tensorflow-gpu for darwin x64',
    );
  });
});

const itOnLinux = process.platform === 'linux' && process.arch === 'x64' ? it : it.skip;

describe('fromPrebuilt', () => {
  const urls = prebuiltUrls('tensorflow', 'linux', 'x64', {});
  const paths = { library: new URL(urls.library).pathname, addon: new URL(urls.addon).pathname };
  let machine: FakeMachine;
  let server: FileServer;

  beforeEach(async () => {
    machine = fakeMachine();
    const library = await archive('library.tar.gz', {
      'lib/libtensorflow.so.2': noise(100_000, 3),
      'lib/libtensorflow_framework.so.2': noise(100_000, 4),
      'include/tensorflow/c/eager/c_api.h': Buffer.from('// the C API'),
    });
    const addon = await archive('addon.tar.gz', { 'napi-v8/tfjs_binding.node': noise(1000, 5) });
    server = await serveFiles({ [paths.library]: library, [paths.addon]: addon });
  });
  afterEach(async () => {
    await server.close();
    machine.remove();
  });

  async function archive(name: string, files: Record<string, Buffer>): Promise<Buffer> {
    const folder = join(machine.root, `${name}.d`);
    for (const [path, data] of Object.entries(files)) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), data);
    }
    const tops = [...new Set(Object.keys(files).map((path) => path.split('/')[0] as string))];
    await create({ gzip: true, cwd: folder, file: join(machine.root, name) }, tops);
    return readFileSync(join(machine.root, name));
  }

  const context = () => ({
    engine: 'tensorflow' as const,
    cache: machine.cache,
    env: { ...machine.env, TFJS_NODE_CDN_STORAGE: server.url },
    progress: SILENT,
    tensorflow: '2.21.0',
  });

  itOnLinux('lays library and addon out as the addon looks for them, and downloads once', async () => {
    const found = await fromPrebuilt(context());
    expect(found.origin).toBe('the official download of libtensorflow 2.9.1');
    const addon = found.addon as string;
    expect(readFileSync(addon).equals(noise(1000, 5))).toBe(true);
    expect(found.library.folder).toBe(join(addon, '..', '..', '..', 'deps', 'lib'));
    expect(found.library.objects).toEqual(['libtensorflow.so.2', 'libtensorflow_framework.so.2']);
    await fromPrebuilt(context());
    expect(server.requests).toHaveLength(2);
  });

  itOnLinux('fetches again what was changed on disk', async () => {
    const { library } = await fromPrebuilt(context());
    const file = join(library.folder, 'libtensorflow.so.2');
    writeFileSync(file, 'truncated');
    await fromPrebuilt(context());
    expect(readFileSync(file).equals(noise(100_000, 3))).toBe(true);
  });

  itOnLinux('resumes a library that was cut off', async () => {
    server.mishaps.push('cut');
    const { library } = await fromPrebuilt(context());
    expect(readFileSync(join(library.folder, 'libtensorflow.so.2')).equals(noise(100_000, 3))).toBe(true);
    expect(server.requests[1]?.range).toMatch(/^bytes=\d+-$/);
  });

  itOnLinux('names the archive that cannot be unpacked, and keeps nothing of it', async () => {
    await server.close();
    server = await serveFiles({ [paths.library]: noise(1000, 1), [paths.addon]: noise(1000, 2) });
    await expect(fromPrebuilt(context())).rejects.toThrow(
      /^libtensorflow-cpu-linux-x86_64-2.9.1.tar.gz cannot be used: /,
    );
    expect(existsSync(join(machine.cache, 'downloads', 'libtensorflow-cpu-linux-x86_64-2.9.1.tar.gz'))).toBe(false);
  });
});
