/** The commands of every task's program: arguments, defaults, messages about wrong usage. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { UsageError } from '@pyramidal/config';
import { type FoundWeights, findWeights } from '@pyramidal/inference';
import { type ExitCode, printable, reportError } from '@pyramidal/program';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { chooseConfig, chooseIfAny, type ChosenConfig, runFolder } from './choose-config';
import { EXPORT_FORMATS, type ExportFormat, type TaskApp } from './task-app';
import { isRestarted } from './team';
import { writeTrainingReport } from './training-report';
import { userPath } from './user-path';

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
    stderr.write(`${printable(describeUsage(error, program, argv))}\n`);
    return 2;
  }
}

const CHECKPOINT = '--checkpoint';

/** `--resume FILE.safetensors`: as an option with a value of its own, it would take a configuration that follows it. */
function spellOut(argv: readonly string[]): string[] {
  return argv.map((word, i) => (word === '--resume' && argv[i + 1]?.endsWith('.safetensors') ? CHECKPOINT : word));
}

function createProgram(app: TaskApp, finish: Finish): Command {
  const program = new Command(app.name).description(app.description).version(version(), '--version');
  const common = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .argument('[config]', name === 'train' || name === 'data' ? CONFIG.own : CONFIG.trained, onePath)
      .option('--recipe <name>', 'a published training instead of a configuration')
      .option('--backbone <name>', 'backbone of the recipe')
      .option('--set <key=value>', 'override a value of the configuration (may be repeated)', collect, [])
      .option('--debug', 'show the stack of an error');
  common('train', 'train, evaluate, keep the best and the last checkpoint')
    .option('--out <dir>', 'folder of the run (default: runs/ and the name of the configuration)', onePath)
    .option('--resume', 'go on with the run in that folder; --resume FILE.safetensors from that checkpoint', false)
    .addOption(new Option(`${CHECKPOINT} <file>`).hideHelp())
    .option('--quiet', 'say nothing but warnings and errors')
    .addOption(new Option('--json', 'report on standard output, a JSON object a line').conflicts('quiet'))
    .action(async (file, { out, resume, checkpoint, quiet, json, set, ...choice }) => {
      const config = chooseConfig(app, { file: file ?? runOf(checkpoint, choice), ...choice });
      const places = placesOf(out ?? runFolder(config), checkpoint ?? resume);
      const progress = quiet ? 'quiet' : json ? 'json' : 'live';
      finish(await app.train({ config, set, progress, ...places }));
    });
  common('eval', 'evaluate a checkpoint')
    .requiredOption('--weights <path>', WEIGHTS, theWeights)
    .option('--out <dir>', 'folder of the results (default: eval/ in the run of the weights)', onePath)
    .action(async (file, { weights, out, set, ...choice }) => {
      const config = chooseIfAny(app, { file, ...choice });
      finish(await app.evaluate({ config, set, ...placed(weights, out, { config, name: 'eval' }) }));
    });
  const predict = common('predict', 'predict images and draw the predictions')
    .argument('[images...]', 'image files, folders of them, patterns')
    .requiredOption('--weights <path>', WEIGHTS, theWeights)
    .option('--out <dir>', 'folder of the results (default: predictions/ in the run of the weights)', onePath)
    .option('--attention', 'also draw what the backbone attends to, a sheet for each level', false)
    .action(
      async (first, others: string[], { weights, out, attention, score, polygons = false, truth, set, ...choice }) => {
        const files: string[] = [first, ...others.map(onePath)].filter((path) => path !== undefined);
        const [file, images] = isYaml(first) ? [files[0], files.slice(1)] : [undefined, files];
        const config = chooseIfAny(app, { file, ...choice });
        if (images.length === 0) throw new UsageError(`${app.name} predict: expected at least one image`);
        const places = placed(weights, out, { config, name: 'predictions' });
        finish(await app.predict({ config, set, images, attention, score, polygons, truth, ...places }));
      },
    );
  if (app.findsObjects) {
    predict.option('--score <score>', 'write and draw only what has at least this score', parseScore);
    predict.option('--polygons', 'write and draw masks as outlines');
    predict.option(
      '--truth <file>',
      "draw the objects of these annotations, in COCO's format, beside what is found",
      onePath,
    );
  }
  common('export', 'write the weights for PyTorch and, with the native engine, models for Python, browsers and ONNX')
    .requiredOption('--weights <path>', WEIGHTS, theWeights)
    .option('--out <dir>', 'folder of the results (default: export/ in the run of the weights)', onePath)
    .option('--input <HxW>', "size of the images (default: the configuration's)", parseSize)
    .addOption(new Option('--format <format...>', 'what to write (default: all)').choices(EXPORT_FORMATS))
    .action(async (file, { weights, out, input, format = EXPORT_FORMATS, set, ...choice }) => {
      const config = chooseIfAny(app, { file, ...choice });
      const formats = format as readonly ExportFormat[];
      const places = placed(weights, out, { config, name: 'export' });
      finish(await app.exportModel({ config, set, input, formats, ...places }));
    });
  common('info', 'parameters, multiply-adds, feature shapes')
    .option('--weights <path>', 'checkpoint whose configuration and classes to take', theWeights)
    .option('--input <HxW>', "size to count at (default: the configuration's)", parseSize)
    .option('--resolved', 'print the whole configuration instead, defaults written out', false)
    .action(async (file, { weights, input, resolved, set, ...choice }) => {
      const choose = weights === undefined ? chooseConfig : chooseIfAny;
      const config = choose(app, { file, ...choice });
      finish(await app.info({ config, weights: weights?.file, set, input, resolved }));
    });
  const data = common('data', 'check a data set before training: counts, sizes, what is left out and why, duplicates');
  data.action(async (file, { set, showAugmented = false, out, ...choice }) => {
    const config = chooseConfig(app, { file, ...choice });
    const augmented = out ?? join(runFolder(config), 'augmented');
    finish(await app.data({ config, set, ...(showAugmented && { augmented }) }));
  });
  if (app.drawsAugmented) {
    data
      .option('--show-augmented', 'also draw training images as the network sees them, with their objects', false)
      .option('--out <dir>', 'folder of these pictures (default: augmented/ in the folder of the run)', onePath);
  }
  common('serve', 'answer HTTP requests: an image in, its prediction as JSON out')
    .requiredOption('--weights <path>', WEIGHTS, theWeights)
    .option(
      '--host <address>',
      'address to listen on; 0.0.0.0 takes requests of other machines',
      parseHost,
      '127.0.0.1',
    )
    .option('--port <number>', 'port to listen on; 0 takes any that is free', parseCount(0, 65_535), 8080)
    .option('--queue <count>', 'requests in work; more are turned away', parseCount(1), 64)
    .action(async (file, { weights, host, port, queue, set, ...choice }) => {
      const config = chooseIfAny(app, { file, ...choice });
      finish(await app.serve({ config, set, weights: weights.file, service: { host, port, queue } }));
    });
  if (app.inspect !== undefined) addInspect(program, { ...app, inspect: app.inspect }, finish);
  program
    .command('report')
    .description('draw trainings over each other, as a page for a browser')
    .argument('<runs...>', 'folders of runs')
    .option('--out <file>', 'the page', onePath, join('runs', 'report.html'))
    .option('--debug', 'show the stack of an error')
    .action((folders: string[], { out }) => {
      writeTrainingReport(folders.map(onePath), out);
      console.log(`report in ${out}`);
    });
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
  }
  return program;
}

/** `inspect`, of programs that have it. */
function addInspect(program: Command, app: TaskApp & Required<Pick<TaskApp, 'inspect'>>, finish: Finish): void {
  const inspect = program
    .command('inspect')
    .description('look at a data set, and at what runs found in it, in a browser')
    .argument(
      '[runs...]',
      'the folder of a run that was evaluated, two to compare them; or a configuration, for its data set',
    )
    .option('--port <number>', 'port of 127.0.0.1 to listen on; 0 takes any that is free', parseCount(0, 65_535), 8081)
    .option('--set <key=value>', 'override a value of the configuration (may be repeated)', collect, [])
    .option('--debug', 'show the stack of an error');
  if (app.inspectsFiles) {
    inspect
      .option('--annotations <file>', "annotations in COCO's format, in place of a run", onePath)
      .option('--images <dir>', 'folder of their images (default: that of the annotations)', onePath)
      .option('--results <file...>', 'results files of them, two to compare them');
  }
  inspect.action(async (words: string[], { annotations, images, results = [], port, set }) => {
    const paths = words.map(onePath);
    const files = annotations && { annotations, images, results: (results as string[]).map(onePath) };
    const most = `${app.name} inspect: expected one or two runs, a configuration${app.inspectsFiles ? ', or --annotations' : ''}`;
    const [first] = paths;
    if (files === undefined ? paths.length === 0 || paths.length > 2 : paths.length > 0 || files.results.length > 2) {
      throw new UsageError(`${most}, received ${[...paths, ...(files?.results ?? [])].join(' ') || 'nothing'}`);
    }
    if (files === undefined && (images !== undefined || results.length > 0)) {
      throw new UsageError(`${app.name} inspect: --images and --results go with --annotations`);
    }
    const config = isYaml(first) ? first : undefined;
    if (config !== undefined && paths.length > 1) throw new UsageError(`${most}, received ${paths.join(' ')}`);
    finish(await app.inspect({ runs: config === undefined ? paths : [], config, files, set, port }));
  });
}

type Finish = (code: ExitCode) => void;

const CONFIG = {
  own: 'YAML configuration of the run, or the folder of one, for its own',
  trained: "YAML configuration, or the folder of a run (default: the checkpoint's own)",
};

const WEIGHTS = 'checkpoint (.safetensors or .pth), or the folder of a run: its best one, else its last';

/** Paths mean what they mean from where the user stands; a variable without a value would mean that place itself. */
function onePath(path: string): string {
  if (path === '') throw new InvalidArgumentError("expected a path, received ''");
  return userPath(path);
}
const theWeights = (path: string): FoundWeights => findWeights(onePath(path));

/** A first argument of another kind is an image: the checkpoint brings its configuration along. */
const isYaml = (path: string | undefined): boolean => path !== undefined && /\.ya?ml$/i.test(path);

/**
 * The checkpoint, and the folder of the results: where the user says, else in the run that wrote it, else in one that is named
 * after the configuration or after the checkpoint.
 */
function placed(
  { file, run }: FoundWeights,
  out: string | undefined,
  { config, name }: { readonly config: ChosenConfig | undefined; readonly name: string },
) {
  const own = config === undefined ? join('runs', basename(file, extname(file))) : runFolder(config);
  return { weights: file, out: out ?? join(run ?? own, name) };
}

/** The run that a checkpoint to go on from lies in, which brings its configuration along where the user says none. */
function runOf(checkpoint: string | undefined, { recipe }: { readonly recipe?: string }): string | undefined {
  return recipe === undefined && checkpoint !== undefined ? findWeights(checkpoint).run : undefined;
}

/** A run that a launcher starts again goes on, if it had come so far that there is something. */
const placesOf = (out: string, resume: boolean | string) => ({
  out,
  resume: resume || (isRestarted() && existsSync(join(out, 'run.json'))),
});

/** The version of this package, which all packages of a release share. */
function version(): string {
  return (JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8')) as { version: string }).version;
}

function describeUsage(error: CommanderError, program: Command, argv: readonly string[]): string {
  if (error.code === 'commander.help') return program.helpInformation().trimEnd();
  const command = program.commands.find((candidate) => candidate.name() === argv[0]);
  const place = command === undefined ? program.name() : `${program.name()} ${command.name()}`;
  const [line = ''] = error.message.replace(/^error: /, '').split('\n');
  return `${place}: ${shorten(line)}${knownNames(error, program, command)}${aboutResume(error, argv)}`;
}

/** Commander repeats what was typed, whatever its length. */
function shorten(line: string): string {
  const SHOWN = 200;
  return line.length > 2 * SHOWN ? `${line.slice(0, SHOWN)} ... ${line.slice(-SHOWN)}` : line;
}

/** The folder of a run is often written behind it. */
function aboutResume({ code }: CommanderError, argv: readonly string[]): string {
  if (code !== 'commander.excessArguments' || !argv.includes('--resume')) return '';
  return ' --resume takes a checkpoint, FILE.safetensors, or nothing; the folder of the run is told by --out';
}

/** What could have been typed instead. */
function knownNames(error: CommanderError, program: Command, command: Command | undefined): string {
  if (error.code === 'commander.unknownCommand') {
    return `; expected one of ${program.commands.map((candidate) => candidate.name()).join(', ')}`;
  }
  if (error.code !== 'commander.unknownOption' || command === undefined) return '';
  return `; known options: ${command.options.flatMap(({ hidden, long }) => (hidden ? [] : (long ?? []))).join(', ')}`;
}

/** Nx hands `--set "a={ b: c }"` on in pieces, the first of which would be read as a value. */
function collect(value: string, previous: readonly string[]): string[] {
  const text = value.slice(value.indexOf('=') + 1).trim();
  const [closing] = ['{}', '[]'].flatMap(([open, close]) => (text.startsWith(open!) ? close! : []));
  if (closing !== undefined && !text.endsWith(closing)) {
    throw new InvalidArgumentError(`expected '${closing}' at the end; quote it, and write --set=KEY=VALUE through Nx`);
  }
  return [...previous, value];
}

function parseScore(text: string): number {
  const score = Number(text);
  if (text.trim() !== '' && score >= 0 && score <= 1) return score;
  throw new InvalidArgumentError(`expected a number from 0 to 1, received '${text}'`);
}

/** Node listens everywhere where the name is empty. */
function parseHost(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError(`expected an address, received '${text}'`);
}

const parseCount =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const count = Number(text);
    if (/^\d+$/.test(text) && count >= least && count <= most) return count;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}, received '${text}'`);
  };

function parseSize(text: string): { height: number; width: number } {
  const match = /^(\d+)x(\d+)$/.exec(text);
  const [height, width] = [Number(match?.[1]), Number(match?.[2])];
  if (!(height >= 32 && width >= 32)) {
    throw new InvalidArgumentError(`expected HEIGHTxWIDTH of at least 32x32, such as 224x224, received '${text}'`);
  }
  return { height, width };
}
