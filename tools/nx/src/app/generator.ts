/** The generator `app`. */
import { formatFiles, generateFiles, type GeneratorCallback, type TargetConfiguration, type Tree } from '@nx/devkit';
import { join } from 'node:path';
import { addProject, ourPackages } from '../add-project';
import { checkOptions } from '../check-options';
import { planProject, type ProjectOptions } from '../plan-project';
import schema from './schema.json';
import { type Task, TASKS } from './tasks';

export interface AppOptions extends ProjectOptions {
  readonly task: Task;
  /** Name of a published size. */
  readonly backbone: string;
  /** Folder of the pictures, from the workspace's root. */
  readonly data?: string;
}

const GENERATOR = '@pyramidal/nx:app';

/** Makes an app that trains, evaluates and predicts on the user's own pictures. */
export async function appGenerator(tree: Tree, options: AppOptions): Promise<GeneratorCallback> {
  checkOptions(GENERATOR, schema, { ...options });
  const { name, task, backbone, data = `data/${name}` } = options;
  const plan = planProject(tree, { generator: GENERATOR, kind: 'apps', tags: ['type:app', `task:${task}`] }, options);

  const substitutions = { ...plan.workspace, ...plan, ...TASKS[task], task, backbone, data, dot: '.' };
  for (const folder of ['app', task]) {
    generateFiles(tree, join(__dirname, '../../templates', folder), plan.root, substitutions);
  }
  const install = addProject(tree, plan, {
    type: 'application',
    targets: appTargets(plan.workspace.infersTypeScript),
    dependencies: ourPackages('task', task),
    devDependencies: { sharp: '^0.35.5' },
  });
  if (!options.skipFormat) await formatFiles(tree);
  return install;
}

/** The program's commands from the workspace's root; what a user adds goes to the program. */
function appTargets(infersTypeScript: boolean): Record<string, TargetConfiguration> {
  const program = (command: string): TargetConfiguration => ({
    command: `node --import tsx {projectRoot}/src/main.ts ${command}`,
  });
  const trained = (command: string, out: string): TargetConfiguration =>
    program(
      `${command} {projectRoot}/config.yaml --weights {projectRoot}/runs/train/best.safetensors --out {projectRoot}/runs/${out}`,
    );
  return {
    train: program('train {projectRoot}/config.yaml --out {projectRoot}/runs/train'),
    eval: trained('eval', 'eval'),
    predict: trained('predict', 'predictions'),
    export: trained('export', 'export'),
    info: program('info {projectRoot}/config.yaml'),
    test: { command: 'node --import tsx --test src/*.spec.ts', options: { cwd: '{projectRoot}' } },
    ...(infersTypeScript ? {} : { typecheck: { command: 'tsc --noEmit -p {projectRoot}/tsconfig.json' } }),
  };
}

export default appGenerator;
