#!/usr/bin/env node
/** The command `cocoeval`: pycocotools' tables for a dataset file and a results file. */
import { existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { errorBreakdown, ERROR_KINDS } from '../report/error-breakdown';
import { CocoFormatError } from '../format/errors';
import type { CocoReport } from '../report/coco-report';
import type { EvaluationOptions } from '../evaluate/options';
import { fixed } from '../report/summarize';
import type { IouType } from '../format/types';
import { evaluateFiles, evaluateFilesInThreads } from './evaluate-files';
import { readCoco, readResults } from './files';

const USAGE = `cocoeval GT.json DT.json [options]

  --type bbox|segm|keypoints   what is compared (default: bbox)
  --per-category               a table of all categories below the official one
  --errors                     what costs average precision: counts of errors, and the gain of putting them right
  --json FILE                  the numbers, the categories and the mean precision-recall curve as JSON
  --images ID,ID,...           only these images
  --categories ID,ID,...       only these categories
  --max-dets N,N,...           detections of an image and category that count (default: 1,10,100; keypoints 20)
  --ious T,T,...               IoU thresholds (default: 0.5,0.55,...,0.95)
  --class-agnostic             all categories count as one
  --lvis                       LVIS' rules: federated categories, 300 detections an image
  --threads N                  compare in N threads (default: 1)
  --debug                      show where an error comes from
`;

const FLAGS = {
  type: { type: 'string', default: 'bbox' },
  'per-category': { type: 'boolean', default: false },
  errors: { type: 'boolean', default: false },
  json: { type: 'string' },
  images: { type: 'string' },
  categories: { type: 'string' },
  'max-dets': { type: 'string' },
  ious: { type: 'string' },
  'class-agnostic': { type: 'boolean', default: false },
  lvis: { type: 'boolean', default: false },
  threads: { type: 'string', default: '1' },
  debug: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Wrong usage: exit code 2. */
class UsageError extends Error {}

/** Something outside of the program is not as it must be: exit code 1. */
class InputError extends Error {}

interface Command {
  readonly gt: string;
  readonly dt: string;
  readonly options: EvaluationOptions;
  readonly threads: number;
  readonly perCategory: boolean;
  readonly errors: boolean;
  readonly json: string | undefined;
}

async function main(args: string[]): Promise<void> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(USAGE);
    return;
  }
  const { gt, dt, options, threads, perCategory, errors, json } = parse(args);
  const evaluation: CocoReport =
    threads === 1
      ? evaluateFiles(gt, dt, { ...options, say: console.error })
      : await evaluateFilesInThreads(gt, dt, { ...options, threads, say: console.error });
  console.log(evaluation.text);
  if (perCategory) console.log(`\n${evaluation.perCategoryText()}`);
  if (errors) console.log(`\n${errorTable(gt, dt, options)}`);
  if (json !== undefined) writeWhole(json, `${JSON.stringify(evaluation, null, 2)}\n`);
}

/** Writes a file that is there as a whole or not at all. */
function writeWhole(path: string, text: string): void {
  const unfinished = `${path}.${process.pid}.unfinished`;
  try {
    writeFileSync(unfinished, text);
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw new InputError(`${path}: cannot be written (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}

function errorTable(gt: string, dt: string, options: EvaluationOptions): string {
  const coco = readCoco(gt);
  const { AP, counts, gains, falsePositives, falseNegatives } = errorBreakdown(coco, readResults(coco, dt), options);
  const row = (name: string, count: string, gain: number): string =>
    `${name.padEnd(16)}${count.padStart(10)}${fixed(gain, 3).padStart(8)}`;
  return [
    `AP at IoU 0.50: ${fixed(AP, 3)}`,
    `${'error'.padEnd(16)}${'count'.padStart(10)}${'gain'.padStart(8)}`,
    ...ERROR_KINDS.map((kind) => row(kind, String(counts[kind]), gains[kind])),
    row('false positives', '', falsePositives),
    row('false negatives', '', falseNegatives),
  ].join('\n');
}

function parse(args: string[]): Command {
  const { values, positionals } = readFlags(args);
  const [gt, dt, ...rest] = positionals;
  if (gt === undefined || dt === undefined || rest.length > 0) {
    throw new UsageError(`expected a dataset file and a results file, received ${positionals.length} files`);
  }
  if (!isIouType(values.type)) {
    throw new UsageError(`--type: expected bbox, segm or keypoints, received ${values.type}`);
  }
  const options: EvaluationOptions = {
    iouType: values.type,
    imageIds: numbers('images', values.images),
    categoryIds: numbers('categories', values.categories),
    maxDetections: numbers('max-dets', values['max-dets']),
    iouThresholds: numbers('ious', values.ious),
    useCategories: !values['class-agnostic'],
    federated: values.lvis,
  };
  if (values.json !== undefined) requireWritable(values.json);
  const threads = Number(values.threads);
  if (!Number.isInteger(threads) || threads < 1) {
    throw new UsageError(`--threads: expected a whole number of at least 1, received ${values.threads}`);
  }
  return { gt, dt, options, threads, perCategory: values['per-category'], errors: values.errors, json: values.json };
}

/** Seen before the evaluation, which may take minutes. */
function requireWritable(path: string): void {
  if (!existsSync(dirname(path))) throw new UsageError(`--json: ${dirname(path)}: no such folder`);
  if (existsSync(path) && !statSync(path).isFile()) throw new UsageError(`--json: ${path}: expected a file`);
}

function readFlags(args: string[]) {
  try {
    return parseArgs({ args, options: FLAGS, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function isIouType(value: string): value is IouType {
  return ['bbox', 'segm', 'keypoints'].includes(value);
}

function numbers(flag: string, text: string | undefined): number[] | undefined {
  const list = text?.split(',').map((entry) => (entry.trim() === '' ? NaN : Number(entry)));
  if (list?.some(Number.isNaN))
    throw new UsageError(`--${flag}: expected numbers with commas between, received ${text}`);
  return list;
}

// Until the end is reached the run counts as failed, whatever ends it.
process.exitCode = 1;
main(process.argv.slice(2)).then(
  () => (process.exitCode = 0),
  (error: unknown) => {
    process.exitCode = error instanceof UsageError ? 2 : 1;
    console.error(
      process.argv.includes('--debug') && error instanceof Error ? error.stack : `cocoeval: ${inOneLine(error)}`,
    );
  },
);

function inOneLine(error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] as string;
  if (error instanceof UsageError) return `${message} (see cocoeval --help)`;
  const isKnown = error instanceof InputError || error instanceof CocoFormatError || hasCode(error);
  return isKnown ? message : `unexpected error: ${message} (--debug shows where)`;
}

/** Of the system, as when a file is missing. */
function hasCode(error: unknown): boolean {
  return error instanceof Error && 'code' in error;
}
