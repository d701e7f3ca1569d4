/** A machine without TensorFlow, network or compiler, for specs of the installation. */
import { zipSync } from 'fflate';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A machine with an empty cache and only the programs that are put into its PATH. */
export interface FakeMachine {
  readonly root: string;
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  /** Adds a program as a shell script; a `python3` of this kind never touches the real one. */
  program(name: string, script: string): void;
  remove(): void;
}

export function fakeMachine(): FakeMachine {
  const root = mkdtempSync(join(tmpdir(), 'pyramidal-'));
  const bin = join(root, 'bin');
  const cache = join(root, 'cache');
  mkdirSync(bin);
  // What the scripts themselves call.
  for (const tool of ['cat', 'cp', 'sleep']) symlinkSync(join('/bin', tool), join(bin, tool));
  return {
    root,
    cache,
    // Nothing listens on port 2: there is no network unless a test gives it a server.
    env: { PATH: bin, PYRAMIDAL_CACHE: cache, TFJS_NODE_CDN_STORAGE: 'http://127.0.0.1:2/' },
    program(name, script) {
      const file = join(bin, name);
      writeFileSync(file, `#!/bin/sh\n${script}\n`);
      chmodSync(file, 0o755);
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** A compiler that answers, and refuses to compile. */
export const COMPILER = '[ "$1" = --version ] && exit 0; echo "fake.cc:1: error: refused" >&2; exit 1';

/** A Python with pip whose index is the given pip report, as JSON, or a complaint. */
export const pythonScript = (pip: { readonly report: string } | { readonly complaint: string } | 'none'): string =>
  [
    'case "$*" in',
    '  --version) echo "Python 3.12.1" ;;',
    `  "-m pip --version") ${pip === 'none' ? 'exit 1' : 'echo "pip 24.0 from somewhere (python 3.12)"'} ;;`,
    `  "-m pip "*) ${pipAnswer(pip)} ;;`,
    'esac',
  ].join('\n');

function pipAnswer(pip: Parameters<typeof pythonScript>[0]): string {
  if (pip === 'none') return 'exit 1';
  return 'report' in pip ? `echo '${pip.report}'` : `echo "${pip.complaint}" >&2; exit 1`;
}

export const pipReport = (url: string, sha256: string): string =>
  JSON.stringify({ install: [{ download_info: { url, archive_info: { hashes: { sha256 } } }, metadata: {} }] });

/** The files of a wheel that the runtime looks for, with contents of `bytes` each. */
export function wheelFiles(bytes = 100_000): Record<string, Uint8Array> {
  return {
    'tensorflow/libtensorflow_cc.so.2': noise(bytes, 1),
    'tensorflow/libtensorflow_framework.so.2': noise(bytes, 2),
    'tensorflow/include/tensorflow/c/eager/c_api.h': Buffer.from('// the C API'),
    'tensorflow/include/tensorflow/core/public/session.h': Buffer.from('// the C++ API'),
    'tensorflow/include/Eigen/Core': Buffer.from('// what the C++ API includes'),
    'tensorflow/python/unwanted.py': Buffer.from('print()'),
  };
}

/** A wheel as pip serves it: a zip archive with a RECORD, which speaks of `recorded`. */
export function makeWheel(files: Record<string, Uint8Array> = wheelFiles(), recorded = files): Buffer {
  const record = Object.entries(recorded).map(([path, data]) => {
    const digest = createHash('sha256').update(data).digest('base64url');
    return `${path},sha256=${digest},${data.length}`;
  });
  const RECORD = Buffer.from([...record, 'x.dist-info/RECORD,,', ''].join('\n'));
  return Buffer.from(zipSync({ ...files, 'x.dist-info/RECORD': RECORD }, { level: 0 }));
}

/** Bytes that do not compress, the same for the same seed. */
export function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i++) bytes[i] = (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16;
  return bytes;
}

export const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
