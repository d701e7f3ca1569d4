/** The generator `lib`. */
import { formatFiles, generateFiles, type GeneratorCallback, type TargetConfiguration, type Tree } from '@nx/devkit';
import { join } from 'node:path';
import { addProject, ourPackages } from '../add-project';
import { checkOptions } from '../check-options';
import { planProject, type ProjectOptions } from '../plan-project';
import type { Workspace } from '../workspace';
import schema from './schema.json';

export interface LibOptions extends ProjectOptions {
  /** Name of a published size. */
  readonly backbone: string;
}

const GENERATOR = '@pyramidal/nx:lib';

/** Makes a library that turns pictures into the four feature maps of a backbone. */
export async function libGenerator(tree: Tree, options: LibOptions): Promise<GeneratorCallback> {
  checkOptions(GENERATOR, schema, { ...options });
  const { backbone } = options;
  const plan = planProject(tree, { generator: GENERATOR, kind: 'libs', tags: ['type:lib'] }, options);

  const substitutions = { ...plan.workspace, ...plan, backbone, dot: '.' };
  generateFiles(tree, join(__dirname, '../../templates/lib'), plan.root, substitutions);
  const install = addProject(tree, plan, {
    type: 'library',
    targets: libTargets(plan.workspace),
    dependencies: { ...ourPackages('backbones'), '@tensorflow/tfjs-core': '4.22.0' },
    devDependencies: ourPackages('runtime'),
    packageJson: { exports: packageExports(plan.workspace) },
  });
  if (!options.skipFormat) await formatFiles(tree);
  return install;
}

function libTargets({ infersTypeScript }: Workspace): Record<string, TargetConfiguration> {
  const compile = (file: string): TargetConfiguration => ({ command: `tsc --build {projectRoot}/${file}` });
  return {
    test: { command: 'node --import tsx --test src/*.spec.ts', options: { cwd: '{projectRoot}' } },
    ...(infersTypeScript ? {} : { build: compile('tsconfig.lib.json'), typecheck: compile('tsconfig.json') }),
  };
}

/** The source for the workspace's own projects where it says so, else what is built. */
function packageExports({ sourceCondition }: Workspace): object {
  return {
    './package.json': './package.json',
    '.': {
      ...(sourceCondition === undefined ? {} : { [sourceCondition]: './src/index.ts' }),
      types: './dist/index.d.ts',
      default: './dist/index.js',
    },
  };
}

export default libGenerator;
