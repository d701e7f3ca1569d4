import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJson, readProjectConfiguration, type Tree, updateJson, writeJson } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { VARIANTS } from '@pyramidal/backbones';
import { classificationSchema } from '@pyramidal/classification';
import { loadConfig } from '@pyramidal/config';
import { detectionSchema } from '@pyramidal/detection';
import { segmentationSchema } from '@pyramidal/segmentation';
import ts from 'typescript';
import { appGenerator, type AppOptions } from './generator';
import schema from './schema.json';
import { type Task, TASKS } from './tasks';

const SCHEMAS = {
  classification: classificationSchema,
  segmentation: segmentationSchema,
  detection: detectionSchema,
} as const;
const TASK_NAMES = Object.keys(TASKS) as Task[];
const FLOWERS: AppOptions = {
  name: 'flowers',
  task: 'classification',
  backbone: 'groupmixformer_tiny',
  skipFormat: true,
};

let tree: Tree;
beforeEach(() => {
  tree = createTreeWithEmptyWorkspace();
});

it('offers every backbone, as `npm run schemas` writes them, and every task', () => {
  expect(schema.properties.backbone.enum).toEqual(Object.keys(VARIANTS));
  expect(schema.properties.task.enum.toSorted()).toEqual(TASK_NAMES.toSorted());
});

describe('in a workspace whose projects are not packages', () => {
  it('makes a project with its targets and tags, and names what it needs at the root', async () => {
    await appGenerator(tree, { ...FLOWERS, tags: 'scope:garden, team:a' });
    const { root, projectType, tags, targets } = readProjectConfiguration(tree, 'flowers');
    expect({ root, projectType }).toEqual({ root: 'apps/flowers', projectType: 'application' });
    expect(tags).toEqual(['type:app', 'task:classification', 'scope:garden', 'team:a']);
    expect(Object.keys(targets!)).toEqual([...['train', 'eval', 'predict', 'export', 'info', 'test', 'typecheck']]);
    const { dependencies, devDependencies } = readJson(tree, 'package.json');
    expect(dependencies).toEqual({ '@pyramidal/classification': '^0.1.0', '@pyramidal/task': '^0.1.0' });
    expect(Object.keys(devDependencies)).toEqual(['@types/node', 'sharp', 'tsx', 'typescript']);
    expect(tree.exists('apps/flowers/package.json')).toBe(false);
  });

  it('leaves the versions of tools that the workspace has', async () => {
    writeJson(tree, 'package.json', { name: 'acme', devDependencies: { typescript: '~5.8.0' } });
    await appGenerator(tree, FLOWERS);
    expect(readJson(tree, 'package.json').devDependencies.typescript).toBe('~5.8.0');
  });
});

describe('in a workspace of packages', () => {
  beforeEach(() => {
    writeJson(tree, 'package.json', { name: '@acme/source', workspaces: ['packages/*'] });
    writeJson(tree, 'tsconfig.base.json', { compilerOptions: { composite: true } });
    writeJson(tree, 'tsconfig.json', { extends: './tsconfig.base.json', files: [], references: [] });
    updateJson(tree, 'nx.json', (nx) => ({ ...nx, plugins: [{ plugin: '@nx/js/typescript' }] }));
  });

  it('makes a package that is one of them, with its own dependencies', async () => {
    await appGenerator(tree, FLOWERS);
    const { name, nx, dependencies, devDependencies } = readJson(tree, 'packages/flowers/package.json');
    expect(name).toBe('@acme/flowers');
    expect(nx).toMatchObject({ name: 'flowers', tags: ['type:app', 'task:classification'] });
    expect(nx.targets).not.toHaveProperty('typecheck');
    expect(dependencies).toEqual({ '@pyramidal/classification': '^0.1.0', '@pyramidal/task': '^0.1.0' });
    expect(Object.keys(devDependencies)).toEqual(['sharp']);
    expect(tree.exists('packages/flowers/project.json')).toBe(false);
    expect(readJson(tree, 'tsconfig.json').references).toEqual([{ path: './packages/flowers' }]);
    expect(readJson(tree, 'packages/flowers/tsconfig.json').extends).toBe('../../tsconfig.base.json');
    expect(readJson(tree, 'package.json').workspaces).toEqual(['packages/*']);
  });

  it('adds a folder of its own to the workspaces', async () => {
    await appGenerator(tree, { ...FLOWERS, directory: 'demos/garden/flowers' });
    expect(readJson(tree, 'package.json').workspaces).toEqual(['packages/*', 'demos/garden/flowers']);
    expect(tree.exists('demos/garden/flowers/config.yaml')).toBe(true);
  });

  it('prefers apps where the workspace keeps packages there', async () => {
    updateJson(tree, 'package.json', (json) => ({ ...json, workspaces: ['packages/*', 'apps/**'] }));
    await appGenerator(tree, FLOWERS);
    expect(tree.exists('apps/flowers/package.json')).toBe(true);
  });

  it("reads pnpm's workspaces, and adds to them with comments kept", async () => {
    writeJson(tree, 'package.json', { name: '@acme/source' });
    tree.write('pnpm-workspace.yaml', '# ours\npackages:\n  - libs/*\n');
    await appGenerator(tree, { ...FLOWERS, directory: 'apps/flowers' });
    expect(tree.read('pnpm-workspace.yaml', 'utf-8')).toBe('# ours\npackages:\n  - libs/*\n  - apps/flowers\n');
  });
});

describe.each(TASK_NAMES)('an app for %s', (task) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nx-app-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('has a configuration that its program takes, with every backbone, and small as well', async () => {
    await appGenerator(tree, { ...FLOWERS, task, data: 'pictures/garden' });
    const text = tree.read('apps/flowers/config.yaml', 'utf-8')!;
    for (const backbone of Object.keys(VARIANTS)) {
      const file = join(folder, `${backbone}.yaml`);
      writeFileSync(file, text.replaceAll(FLOWERS.backbone, backbone));
      const { config } = loadConfig(SCHEMAS[task], file);
      expect([config.model.backbone.name, config.data.root]).toEqual([backbone, 'pictures/garden']);
      loadConfig(SCHEMAS[task], file, { set: TASKS[task].small });
    }
  });

  it('has TypeScript without errors of syntax, and no place that a template left open', async () => {
    await appGenerator(tree, { ...FLOWERS, task });
    const files = ['src/main.ts', 'src/app.ts', 'src/app.spec.ts', 'src/pictures.ts'];
    for (const file of files) {
      const text = tree.read(`apps/flowers/${file}`, 'utf-8')!;
      const { diagnostics } = ts.transpileModule(text, { reportDiagnostics: true, fileName: file });
      expect(diagnostics).toEqual([]);
    }
    for (const file of [...files, 'README.md', 'config.yaml', 'tsconfig.json']) {
      expect(tree.read(`apps/flowers/${file}`, 'utf-8')).not.toMatch(/<%|%>|undefined|\[object/);
    }
    expect(tree.exists('apps/flowers/.gitignore')).toBe(true);
  });
});

describe('what cannot be made is told before anything is written', () => {
  const wrong = async (options: Partial<Record<keyof AppOptions, string>>): Promise<string> => {
    const before = tree.listChanges().length;
    const error = await appGenerator(tree, { ...FLOWERS, ...options } as AppOptions).catch((reason: Error) => reason);
    expect(tree.listChanges()).toHaveLength(before);
    return (error as Error).message;
  };

  it('an unknown backbone, with those there are', async () => {
    const message = await wrong({ backbone: 'resnet50' });
    expect(message).toMatch(/^@pyramidal\/nx:app: --backbone: expected one of coat_tiny, .* 'resnet50'$/);
  });

  it('an unknown task', async () => {
    expect(await wrong({ task: 'pose' })).toBe(
      "@pyramidal/nx:app: --task: expected one of detection, segmentation, classification, received 'pose'",
    );
  });

  it('a name that is none', async () => {
    expect(await wrong({ name: 'My App' })).toContain(
      "--name: expected small letters, digits and single hyphens, received 'My App'",
    );
  });

  it('a name or a folder that is taken, and a folder outside', async () => {
    await appGenerator(tree, FLOWERS);
    expect(await wrong({ directory: 'apps/other' })).toBe(
      "@pyramidal/nx:app: there is a project 'flowers' already, in apps/flowers",
    );
    expect(await wrong({ name: 'roses', directory: 'apps/flowers' })).toBe(
      '@pyramidal/nx:app: --directory: the folder apps/flowers is not empty',
    );
    expect(await wrong({ name: 'roses', directory: '../roses' })).toBe(
      "@pyramidal/nx:app: --directory: expected a folder below the workspace's root, received '../roses'",
    );
  });
});
