/** The commands of every task's program: arguments, defaults, messages about wrong usage. */
import { basename, extname, join } from 'node:path';
import { type ExitCode, reportError } from '@pyramidal/program';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { TaskApp } from './task-app';

export interface RunAppOptions {
  readonly argv?: readonly string[];
  readonly stderr?: { write(text: string): unknown };
}

/** Runs the command that a task's program is asked for: one clear line on standard error when it fails, the stack only with `--debug`. */
export async function runApp(
  app: TaskApp,
  { argv = process.argv.slice(2), stderr = process.stderr }: RunAppOptions = {},
): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = createProgram(app, (exitCode) => (code = exitCode));
  try {
    await program.parseAsync(spellOut(argv), { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (!(error instanceof CommanderError)) return reportError(error, argv, stderr);
    stderr.write(`${describeUsage(error, program, argv)}\n`);
    return 2;
  }
}

const CHECKPOINT = '--checkpoint';

/** `--resume FILE.safetensors`: as an option with a value of its own, it would take a configuration that follows it. */
function spellOut(argv: readonly string[]): string[] {
  return argv.map((word, i) => (word === '--resume' && argv[i + 1]?.endsWith('.safetensors') ? CHECKPOINT : word));
}

function createProgram(app: TaskApp, finish: (code: ExitCode) => void): Command {
  const program = new Command(app.name).description(app.description);
  const common = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .argument('<config>', 'YAML configuration of the run')
      .option('--set <key=value>', 'override a value of the configuration (may be repeated)', collect, [])
      .option('--debug', 'show the stack of an error');
  common('train', 'train, evaluate, keep the best and the last checkpoint')
    .option('--out <dir>', 'folder of the run (default: runs/ and the name of the configuration)')
    .option('--resume', 'go on with the run in that folder; --resume FILE.safetensors from that checkpoint', false)
    .addOption(new Option(`${CHECKPOINT} <file>`).hideHelp())
    .action(async (config, { out, resume, checkpoint, set }) => {
      finish(await app.train({ config, set, resume: checkpoint ?? resume, out: out ?? defaultFolder(config) }));
    });
  common('eval', 'evaluate a checkpoint')
    .requiredOption('--weights <file>', 'checkpoint (.safetensors or .pth)')
    .option('--out <dir>', 'folder of the results (default: eval/ in the folder of the run)')
    .action(async (config, { weights, out, set }) => {
      finish(await app.evaluate({ config, set, weights, out: out ?? join(defaultFolder(config), 'eval') }));
    });
  common('predict', 'predict images and draw the predictions')
    .argument('<images...>', 'image files')
    .requiredOption('--weights <file>', 'checkpoint (.safetensors or .pth)')
    .option('--out <dir>', 'folder of the results (default: predictions/ in the folder of the run)')
    .option('--attention', 'also draw what the backbone attends to, a sheet for each level', false)
    .action(async (config, images, { weights, out, attention, set }) => {
      const folder = out ?? join(defaultFolder(config), 'predictions');
      finish(await app.predict({ config, set, weights, images, attention, out: folder }));
    });
  common('export', 'write the weights for PyTorch and, with the native engine, models for Python and browsers')
    .requiredOption('--weights <file>', 'checkpoint (.safetensors or .pth)')
    .option('--out <dir>', 'folder of the results (default: export/ in the folder of the run)')
    .option('--input <HxW>', "size of the images (default: the configuration's)", parseSize)
    .action(async (config, { weights, out, input, set }) => {
      finish(await app.exportModel({ config, set, weights, input, out: out ?? join(defaultFolder(config), 'export') }));
    });
  common('info', 'parameters, multiply-adds, feature shapes')
    .option('--input <HxW>', "size to count at (default: the configuration's)", parseSize)
    .action(async (config, { input, set }) => {
      finish(await app.info({ config, set, input }));
    });
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
  }
  return program;
}

function describeUsage(error: CommanderError, program: Command, argv: readonly string[]): string {
  if (error.code === 'commander.help') return program.helpInformation().trimEnd();
  const command = program.commands.find((candidate) => candidate.name() === argv[0]);
  const place = command === undefined ? program.name() : `${program.name()} ${command.name()}`;
  const [line] = error.message.replace(/^error: /, '').split('\n');
  return `${place}: ${line}${knownNames(error, program, command)}`;
}

/** What could have been typed instead. */
function knownNames(error: CommanderError, program: Command, command: Command | undefined): string {
  if (error.code === 'commander.unknownCommand') {
    return `; expected one of ${program.commands.map((candidate) => candidate.name()).join(', ')}`;
  }
  if (error.code !== 'commander.unknownOption' || command === undefined) return '';
  return `; known options: ${command.options.flatMap(({ hidden, long }) => (hidden ? [] : (long ?? []))).join(', ')}`;
}

function defaultFolder(config: string): string {
  return join('runs', basename(config, extname(config)));
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
}

function parseSize(text: string): { height: number; width: number } {
  const match = /^(\d+)x(\d+)$/.exec(text);
  const [height, width] = [Number(match?.[1]), Number(match?.[2])];
  if (!(height >= 32 && width >= 32)) {
    throw new InvalidArgumentError(`expected HEIGHTxWIDTH of at least 32x32, such as 224x224, received '${text}'`);
  }
  return { height, width };
}
