/**
 * Copies what the native engine needs of @tensorflow/tfjs-node-gpu into a package, `tsx copy-tfjs-node.ts FOLDER`: the
 * backend, its kernels and the addon's C++. Whoever installs the package is spared the original's install script, which
 * downloads a TensorFlow of 2022 and fails where it cannot.
 */
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readManifest } from './manifest';

const WANTED = [
  /^dist\/(nodejs_kernel_backend|int64_tensors|register_all_kernels|tfjs_binding)\.d\.ts$/,
  /^dist\/(nodejs_kernel_backend|int64_tensors|register_all_kernels)\.js$/,
  /^dist\/kernels\/[^/]+\.js$/,
  /^dist\/proto\/api_pb\.js$/,
  /^binding\/[^/]+\.(cc|h)$/,
];

const UNWANTED = /_test\.js$/;

function copyTfjsNode(folder: string): void {
  const original = dirname(createRequire(__filename).resolve('@tensorflow/tfjs-node-gpu/package.json'));
  const target = join(folder, 'tfjs-node');
  rmSync(target, { recursive: true, force: true });
  const paths = ['dist', 'binding'].flatMap((parent) =>
    readdirSync(join(original, parent), { recursive: true, encoding: 'utf8' }).map((path) => join(parent, path)),
  );
  for (const path of paths.filter((path) => WANTED.some((wanted) => wanted.test(path)) && !UNWANTED.test(path))) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    cpSync(join(original, path), join(target, path));
  }
  const { name, version, license } = readManifest(original);
  writeFileSync(join(target, 'package.json'), `${JSON.stringify({ name, version, license }, null, 2)}\n`);
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: copy-tfjs-node FOLDER');
copyTfjsNode(folder);
