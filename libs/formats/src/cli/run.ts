/** The commands of `pyramidal-data`. */
import { existsSync } from 'node:fs';
import { checkTarget, oneLine, readText, writeJson } from '@pyramidal/files';
import { type ExitCode, printable, reportError } from '@pyramidal/program';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import {
  type Conversion,
  convertLabels,
  LABEL_FORMATS,
  type LabelCounts,
  type LabelFormatName,
  LossError,
} from '../convert';
import type { Losses } from '../losses';
import { convertMasks, type MaskConversion, readColours } from '../masks';

const FORMATS = Object.keys(LABEL_FORMATS) as LabelFormatName[];

interface Options {
  readonly from: LabelFormatName;
  readonly to: LabelFormatName;
  readonly images?: string;
  readonly split?: string;
  readonly classes?: string;
  readonly boxesOnly?: true;
  readonly vocFrom0?: true;
  readonly allowLoss?: true;
  readonly overwrite?: true;
  readonly report?: string;
}

interface MaskOptions {
  readonly images: string;
  readonly colours?: string;
  readonly classes?: string;
  readonly split?: string;
  readonly allowLoss?: true;
  readonly overwrite?: true;
}

/** Runs one command. Exit codes: 0 done, 1 failed, 2 wrong usage. */
export async function run(args: readonly string[], print: (line: string) => void): Promise<ExitCode> {
  let code: ExitCode = 0;
  const program = new Command('pyramidal-data')
    .description("Brings labels into COCO's format, and from there into others")
    .option('--debug', 'show the stack of an error')
    .configureOutput({
      writeOut: (text) => print(text.trimEnd()),
      writeErr: (text) => process.stderr.write(printable(text)),
    });
  program
    .command('convert')
    .description(
      `convert labels: ${Object.entries(LABEL_FORMATS)
        .map(([name, { source }]) => `${name} (${source})`)
        .join('; ')}`,
    ) // prettier-ignore
    .argument('<in>', 'folder or file of the labels')
    .argument('<out>', 'folder of the new ones; the images get second names there')
    .addOption(new Option('--from <format>', 'format of the labels').choices(FORMATS).makeOptionMandatory())
    .addOption(new Option('--to <format>', 'format of the new ones').choices(FORMATS).default('coco'))
    .option('--images <dir>', 'folder of the images, where the format does not fix it')
    .option('--split <name>', 'what the split of a format that has none is called (default: train)', parseSplit)
    .option('--classes <list>', 'classes in their order: a,b,c or a file with one a line')
    .option('--boxes-only', 'leave all masks out, on purpose')
    .option('--voc-from-0', "boxes of Pascal VOC's format that count pixels from 0")
    .option('--allow-loss', 'go on without what the new format cannot hold')
    .option('--overwrite', 'write over files that are there')
    .option('--report <file>', 'write counts and losses, one by one, as JSON')
    .action(async (source: string, out: string, options: Options) => {
      code = await convert(source, out, options, print);
    });
  program
    .command('masks')
    .description(
      "put masks of classes into ADE20K's layout: colours with --colours, indices (of a palette, or grey) with --classes",
    )
    .argument('<in>', 'folder of the masks, PNG')
    .argument('<out>', 'folder of the data set')
    .requiredOption('--images <dir>', "folder of the images, with the masks' names")
    .option(
      '--colours <file>',
      "colours of the classes: labelmap.txt of CVAT, or YAML of name: '#804080'; unlabelled is no class",
    )
    .option('--classes <list>', 'classes by index from 0 on: a,b,c or a file with one a line; 255 is unlabelled')
    .option('--split <name>', 'folder below images/ and annotations/ (default: training)', parseSplit)
    .option('--allow-loss', 'go on without images and masks that have no partner')
    .option('--overwrite', 'write over files that are there')
    .action(async (source: string, out: string, { colours, classes, ...options }: MaskOptions) => {
      const conversion = await convertMasks({
        ...{ ...options, source, out },
        ...(colours !== undefined && { colours: readColours(colours) }),
        ...(classes !== undefined && { classes: namesOf(classes) }),
      });
      for (const line of describeMasks(conversion, out)) print(line);
    });
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return reportError(error, args);
  }
}

/** A split names files and folders in the one that is written. */
function parseSplit(name: string): string {
  if (/^[^/\\]+$/.test(name) && name !== '.' && name !== '..') return name;
  throw new InvalidArgumentError('expected a name without folders');
}

async function convert(
  source: string,
  out: string,
  options: Options,
  print: (line: string) => void,
): Promise<ExitCode> {
  const { classes, vocFrom0, report, ...rest } = options;
  if (report !== undefined) checkTarget(report); // before the work is done
  try {
    const conversion = await convertLabels({
      ...{ ...rest, source, out },
      ...(classes !== undefined && { classes: namesOf(classes) }),
      ...(vocFrom0 && { vocFirst: 0 as const }),
    });
    for (const line of describe(conversion, source, out, options)) print(line);
    if (report !== undefined) writeJson(report, reportOf(conversion.losses, conversion));
    return 0;
  } catch (error) {
    if (!(error instanceof LossError)) throw error;
    for (const line of error.losses.lines()) print(line);
    if (report !== undefined) writeJson(report, reportOf(error.losses));
    throw error;
  }
}

function namesOf(list: string): string[] {
  const names = existsSync(list) ? readText(list).split(/\r?\n/) : list.split(',');
  return names.map((name) => name.trim()).filter((name) => name !== '');
}

function describe(
  { read, written, categories, losses }: Conversion,
  source: string,
  out: string,
  { from, to }: Options,
): string[] {
  return [
    ...[...read].map(([split, counts]) => `${source}: ${from}, ${split}: ${describeCounts(counts)}`),
    ...losses.lines(),
    ...[...written].map(([split, counts]) => `${out}: ${to}, ${split}: ${describeCounts(counts)}`),
    `${categories.length} classes: ${oneLine(categories.slice(0, 20).join(', '))}${categories.length > 20 ? ', ...' : ''}`,
  ];
}

function describeCounts({ images, empty, objects, masks, crowds }: LabelCounts): string {
  return (
    `${images} images (${empty} without objects), ${objects} objects (${masks} with masks` +
    `${crowds > 0 ? `, ${crowds} crowds` : ''})`
  );
}

const reportOf = (losses: Losses, conversion?: Conversion): object => ({
  ...(conversion && {
    classes: conversion.categories,
    read: Object.fromEntries(conversion.read),
    written: Object.fromEntries(conversion.written),
  }),
  lost: Object.fromEntries((['image', 'object', 'mask', 'field'] as const).map((kind) => [kind, losses.count(kind)])),
  records: losses.records,
});

function describeMasks({ images, pixels, unlabelled, losses }: MaskConversion, out: string): string[] {
  const total = [...pixels.values()].reduce((sum, count) => sum + count, unlabelled);
  const share = (count: number): string => `${((100 * count) / total).toFixed(1)}%`;
  const classes = [...pixels].map(([name, count]) => (count === 0 ? `${name} never` : `${name} ${share(count)}`));
  return [...losses.lines(), `${out}: ${images} images: ${classes.join(', ')}, unlabelled ${share(unlabelled)}`];
}
