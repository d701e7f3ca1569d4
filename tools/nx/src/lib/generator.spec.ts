import { readJson, readProjectConfiguration, type Tree, writeJson } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { VARIANTS } from '@pyramidal/backbones';
import ts from 'typescript';
import { libGenerator, type LibOptions } from './generator';
import schema from './schema.json';

const FEATURES: LibOptions = { name: 'features', backbone: 'smt_tiny', skipFormat: true };

let tree: Tree;
beforeEach(() => {
  tree = createTreeWithEmptyWorkspace();
});

it('offers every backbone, as `npm run schemas` writes them', () => {
  expect(schema.properties.backbone.enum).toEqual(Object.keys(VARIANTS));
});

it('makes a project that the others import by path, where projects are not packages', async () => {
  await libGenerator(tree, { ...FEATURES, tags: 'scope:garden' });
  const { root, projectType, tags, targets } = readProjectConfiguration(tree, 'features');
  expect({ root, projectType, tags }).toEqual({
    root: 'libs/features',
    projectType: 'library',
    tags: ['type:lib', 'scope:garden'],
  });
  expect(Object.keys(targets!)).toEqual(['test', 'build', 'typecheck']);
  const paths = readJson(tree, 'tsconfig.base.json').compilerOptions.paths;
  expect(paths).toEqual({ '@proj/features': ['./libs/features/src/index.ts'] });
  expect(Object.keys(readJson(tree, 'package.json').dependencies)).toEqual([
    ...['@pyramidal/backbones', '@tensorflow/tfjs-core'],
  ]);
});

it('makes a package whose source the others import, in a workspace of packages', async () => {
  writeJson(tree, 'package.json', { name: '@acme/source', workspaces: { packages: ['packages/*'] } });
  writeJson(tree, 'tsconfig.base.json', { compilerOptions: { customConditions: ['@acme/source'] } });
  writeJson(tree, 'tsconfig.json', { files: [] });
  await libGenerator(tree, FEATURES);
  const { name, exports, nx } = readJson(tree, 'packages/features/package.json');
  expect([name, nx.name]).toEqual(['@acme/features', 'features']);
  expect(Object.entries(exports['.'])).toEqual([
    ['@acme/source', './src/index.ts'],
    ['types', './dist/index.d.ts'],
    ['default', './dist/index.js'],
  ]);
  expect(readJson(tree, 'tsconfig.json').references).toEqual([{ path: './packages/features' }]);
  expect(readJson(tree, 'tsconfig.base.json').compilerOptions.paths).toBeUndefined();
});

it('has TypeScript without errors of syntax, and no place that a template left open', async () => {
  await libGenerator(tree, FEATURES);
  for (const file of ['src/index.ts', 'src/features.ts', 'src/features.spec.ts', 'README.md', 'tsconfig.lib.json']) {
    const text = tree.read(`libs/features/${file}`, 'utf-8')!;
    expect(text).not.toMatch(/<%|%>|undefined]|\[object/);
    if (!file.endsWith('.ts')) continue;
    expect(ts.transpileModule(text, { reportDiagnostics: true, fileName: file }).diagnostics).toEqual([]);
  }
  expect(tree.read('libs/features/src/features.ts', 'utf-8')).toContain("createBackbone('smt_tiny'");
});

it('names an unknown backbone and those there are', async () => {
  await expect(libGenerator(tree, { ...FEATURES, backbone: 'vgg' })).rejects.toThrow(
    /^@pyramidal\/nx:lib: --backbone: expected one of coat_tiny, .* received 'vgg'$/,
  );
  expect(tree.exists('libs/features')).toBe(false);
});
