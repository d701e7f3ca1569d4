/** The table of published trainings: what each recipe gave on each backbone, who says so, and which settings differ. */
import { join } from 'node:path';
import { z } from 'zod';
import { childOf, type Located } from './located';
import { parseTree } from './parse-tree';
import { readYaml } from './read-yaml';
import { UsageError } from './usage-error';

const percent = z.number().gt(0).max(100).optional();

/** Published scores in per cent; none where the authors tell the settings alone. */
const scoreSchema = z.strictObject({
  top1: percent,
  boxAP: percent,
  maskAP: percent,
  mIoU: percent,
  mIoUMultiScale: percent,
});

export type Score = z.output<typeof scoreSchema>;

/** Settings that differ from the recipe's, in the form of a configuration. */
const changesSchema = z.record(z.string(), z.unknown()).optional();

const groupSchema = z.strictObject({
  /** One of the table's sources. */
  source: z.string(),
  set: changesSchema,
  backbones: z.record(z.string(), scoreSchema.extend({ set: changesSchema })),
});

const tableSchema = z.strictObject({
  /** Papers and repositories by a short name. */
  sources: z.record(z.string(), z.string()),
  /** Task, then recipe, then groups of backbones that share a source and settings. */
  trainings: z.record(z.string(), z.record(z.string(), z.array(groupSchema))),
});

/** One row of the table. */
export interface PublishedTraining {
  readonly recipe: string;
  readonly backbone: string;
  /** Paper and repository. */
  readonly source: string;
  readonly score: Score;
  /** What is laid over the recipe, in this order. */
  readonly changes: readonly Located[];
}

export const TABLE = 'published.yaml';

/**
 * The rows of one task.
 * @param folder holds `published.yaml`.
 * @throws ConfigError if the table is wrong; UsageError if a pair stands there twice, or names no source.
 */
export function publishedTrainings(folder: string, task: string): PublishedTraining[] {
  const file = join(folder, TABLE);
  const tree = readYaml(file);
  const { sources, trainings } = parseTree(tableSchema, tree);
  const sourceOf = (name: string): string => {
    if (Object.hasOwn(sources, name)) return sources[name]!;
    throw new UsageError(
      `${file}: ${task}: expected one of ${Object.keys(sources).join(', ')} as source, received '${name}'`,
    );
  };
  const recipes = trainings[task] ?? {};
  const rows = Object.entries(recipes).flatMap(([recipe, groups]) =>
    groups.flatMap(({ source, backbones }, i) =>
      Object.entries(backbones).map(([backbone, { set: _set, ...score }]): PublishedTraining => {
        const group = at(tree, 'trainings', task, recipe, i);
        const changes = [at(group, 'set'), at(group, 'backbones', backbone, 'set')];
        return {
          recipe,
          backbone,
          source: sourceOf(source),
          score,
          changes: changes.filter((one) => one !== undefined),
        };
      }),
    ),
  );
  const seen = new Set<string>();
  for (const { recipe, backbone } of rows) {
    const pair = `${recipe} on ${backbone}`;
    if (seen.has(pair)) throw new UsageError(`${file}: ${task}: ${pair} stands there twice`);
    seen.add(pair);
  }
  return rows;
}

function at(tree: Located | undefined, ...path: readonly PropertyKey[]): Located | undefined {
  return path.reduce<Located | undefined>((here, key) => here && childOf(here, key), tree);
}

const LABELS: Readonly<Record<keyof Score, (value: string) => string>> = {
  top1: (value) => `top-1 ${value} %`,
  boxAP: (value) => `box AP ${value}`,
  maskAP: (value) => `mask AP ${value}`,
  mIoU: (value) => `mIoU ${value} %`,
  mIoUMultiScale: (value) => `mIoU ${value} % at several scales`,
};

/** `box AP 49.0, mask AP 43.4`; '' without a score. */
export function describeScore(score: Score): string {
  const known = Object.entries(score) as [keyof Score, number | undefined][];
  return known.flatMap(([key, value]) => (value === undefined ? [] : [LABELS[key](value.toFixed(1))])).join(', ');
}
