/**
 * Proves the packages as another team gets them: packs what is built, installs the tarballs into a fresh Nx workspace,
 * generates an app of every task and a library there, trains the apps on generated pictures, runs their tests, and uses a
 * checkpoint without anything else.
 *   npm run build && npm run reuse:check          --keep leaves the workspace
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '@pyramidal/program';
import { compileConsumers, importAndRequire } from './consumer';
import { useOneFile } from './one-file';
import { packAll } from './pack';
import { run, step } from './shell';
import { writeWorkspace } from './workspace';

const repository = join(__dirname, '../../..');

/** An app of every task, each on a backbone of another family, and what makes its training short. */
const APPS = [
  { name: 'kinds', task: 'classification', backbone: 'groupmixformer_tiny', small: ['input.size=64'] },
  {
    name: 'scenes',
    task: 'segmentation',
    backbone: 'smt_tiny',
    small: [
      'input.longest=64',
      'input.shortest=64',
      'input.crop=64',
      'model.head.channels=16',
      'runtime.compile=false',
    ],
  },
  {
    name: 'parts',
    task: 'detection',
    backbone: 'coat_lite_tiny',
    small: [
      ...['input.longest=96', 'input.shortest=96', 'augmentation.shortest=[96]', 'model.neck.channels=32'],
      ...['model.detector.boxHidden=32', 'model.detector.maskHidden=16', 'model.detector.maskConvs=1'],
      ...['model.detector.roiSample.count=16', 'model.detector.testProposals.count=50', 'runtime.compile=false'],
    ],
  },
] as const;

const SHORT = ['train.epochs=1', 'train.batchSize=4', 'data.workers=0', 'model.backbone.depths=[1,1,1,1]'];

function main(folder: string): void {
  const [tarballs, workspace] = [join(folder, 'tarballs'), join(folder, 'workspace')];
  for (const each of [tarballs, workspace]) mkdirSync(each);
  const nx = (...args: string[]) => run(workspace, process.execPath, 'node_modules/nx/dist/bin/nx.js', ...args);

  const packed = step('packages packed', () => packAll(repository, tarballs));
  writeWorkspace(workspace, repository, packed);
  step(`${packed.length} tarballs installed with Nx`, () => run(workspace, 'npm', 'install'));

  const libraries = packed.filter(({ isLibrary }) => isLibrary).map(({ name }) => name);
  step(`${libraries.length} packages imported and required`, () => importAndRequire(workspace, libraries));
  step('their types resolved under node16 and bundler', () => compileConsumers(workspace, libraries));

  step('generators', () => {
    for (const { name, task, backbone } of APPS) {
      const options = ['--task', task, '--backbone', backbone, '--no-interactive'];
      nx('g', '@pyramidal/nx:app', name, ...options);
    }
    nx('g', '@pyramidal/nx:lib', 'features', '--backbone', 'maformer_small', '--no-interactive');
  });
  for (const { name, task, small } of APPS) {
    step(`${task}: trained, evaluated, predicted through Nx`, () => {
      const [data, runs] = [join(workspace, 'data', name), join(workspace, 'packages', name, 'runs')];
      run(repository, 'npm', 'run', 'samples', '--', task, data, '--train', '16', '--val', '8');
      const settings = [...SHORT, ...small].flatMap((setting) => ['--set', setting]);
      nx('train', name, ...settings);
      nx('eval', name, ...settings);
      nx('predict', name, firstPicture(data), ...settings);
      for (const file of ['train/best.safetensors', 'eval/metrics.json', 'predictions/predictions.json']) {
        if (!existsSync(join(runs, file))) throw new Error(`${name}: there is no ${file}`);
      }
    });
  }
  step('an example with a backbone of its own: checked, trained, evaluated', () => trainExample(workspace));
  step('tests, types and build of all of them', () => nx('run-many', '-t', 'test', 'typecheck', 'build'));
  step('objects found by a checkpoint alone, the data set deleted', () =>
    useOneFile({ workspace, data: join(workspace, 'data/parts'), runs: join(workspace, 'packages/parts/runs') }),
  );
}

/** Runs examples/custom-backbone as it is, on the pictures of the first app. */
function trainExample(workspace: string): void {
  const folder = join(workspace, 'custom-backbone');
  cpSync(join(repository, 'examples/custom-backbone'), folder, { recursive: true });
  const settings = [
    ...SHORT.filter((setting) => !setting.includes('backbone')),
    `data.root=${join(workspace, 'data/kinds')}`,
  ];
  const program = (...args: string[]): string =>
    run(
      folder,
      process.execPath,
      '--import',
      'tsx',
      'main.ts',
      ...args,
      ...settings.flatMap((setting) => ['--set', setting]),
    );
  const compilerOptions = {
    ...{ noEmit: true, strict: true, skipLibCheck: true },
    ...{ module: 'nodenext', target: 'es2022', types: ['node'] },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ files: ['main.ts'], compilerOptions }));
  run(folder, process.execPath, '../node_modules/typescript/bin/tsc', '-p', '.');
  program('train', 'config.yaml', '--out', 'runs/own');
  program('eval', 'config.yaml', '--weights', 'runs/own/last.safetensors', '--out', 'runs/own/eval');
  for (const file of ['own/last.safetensors', 'own/eval/metrics.json']) {
    if (!existsSync(join(folder, 'runs', file))) throw new Error(`custom-backbone: there is no ${file}`);
  }
}

function firstPicture(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return join(
    folder,
    files.find((file) => file.endsWith('.jpg'))!,
  );
}

runProgram('reuse', (args) => {
  const folder = mkdtempSync(join(tmpdir(), 'pyramidal-reuse-'));
  try {
    step('all of it', () => main(folder));
    return 0;
  } finally {
    if (args.includes('--keep')) console.log(`kept: ${folder}`);
    else rmSync(folder, { recursive: true });
  }
});
