#!/usr/bin/env node
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { errorBreakdown, ERROR_KINDS } from '../report/error-breakdown';
import { CocoFormatError } from '../format/errors';
import type { Evaluation } from '../report/evaluation';
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
  const evaluation: Evaluation =
    threads === 1 ? evaluateFiles(gt, dt, options) : await evaluateFilesInThreads(gt, dt, { ...options, threads });
  console.log(evaluation.text);
  if (perCategory) console.log(`\n${evaluation.perCategoryText()}`);
  if (errors) console.log(`\n${errorTable(gt, dt, options)}`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(evaluation, null, 2)}\n`);
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
  if (!['bbox', 'segm', 'keypoints'].includes(values.type)) {
    throw new UsageError(`--type: expected bbox, segm or keypoints, received ${values.type}`);
  }
  const options: EvaluationOptions = {
    iouType: values.type as IouType,
    imageIds: numbers('images', values.images),
    categoryIds: numbers('categories', values.categories),
    maxDetections: numbers('max-dets', values['max-dets']),
    iouThresholds: numbers('ious', values.ious),
    useCategories: !values['class-agnostic'],
    federated: values.lvis,
  };
  const threads = Number(values.threads);
  if (!Number.isInteger(threads) || threads < 1) {
    throw new UsageError(`--threads: expected a whole number of at least 1, received ${values.threads}`);
  }
  return { gt, dt, options, threads, perCategory: values['per-category'], errors: values.errors, json: values.json };
}

function readFlags(args: string[]) {
  try {
    return parseArgs({ args, options: FLAGS, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function numbers(flag: string, text: string | undefined): number[] | undefined {
  const list = text?.split(',').map((entry) => (entry.trim() === '' ? NaN : Number(entry)));
  if (list?.some(Number.isNaN))
    throw new UsageError(`--${flag}: expected numbers with commas between, received ${text}`);
  return list;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const usage = error instanceof UsageError;
  const plain = usage || error instanceof CocoFormatError || (error as NodeJS.ErrnoException).code !== undefined;
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error && (!plain || process.argv.includes('--debug'));
  console.error(stack ? error.stack : `cocoeval: ${message}${usage ? ' (see cocoeval --help)' : ''}`);
  process.exitCode = usage ? 2 : 1;
});
