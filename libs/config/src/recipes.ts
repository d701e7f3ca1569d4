/** Recipes by name: a published training's configuration, on the backbone of the user's choice. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { clip } from './clip';
import { didYouMean } from './did-you-mean';
import { childOf, type Located, overlay } from './located';
import { describeScore, type PublishedTraining, publishedTrainings, TABLE } from './published';
import { readYaml } from './read-yaml';
import { UsageError } from './usage-error';

/** Where a task's recipes are. */
export interface RecipeBook {
  /** Name of the task, which is the name of its folder and of its part of the table. */
  readonly task: string;
  /** Folders that may hold `published.yaml` and the task's folder; the first one that does counts. */
  readonly folders: readonly string[];
}

export interface RecipeChoice {
  readonly recipe: string;
  /** Name of a published size; the recipe's own if left out. */
  readonly backbone?: string | undefined;
}

/** A configuration that is made of a recipe, what the table changes for the backbone, and the backbone. */
export interface Recipe extends RecipeChoice {
  readonly file: string;
  readonly tree: Located;
  /** What is published for the pair, in one line; '' for a recipe that is no published training. */
  readonly note: string;
}

/** The recipes of a task in the order of their names. */
export function recipeNames(book: RecipeBook): string[] {
  return readdirSync(join(folderOf(book), book.task))
    .flatMap((name) => /^(.+)\.yaml$/.exec(name)?.[1] ?? [])
    .sort();
}

/** The rows of a task's part of the table. */
export function publishedOf(book: RecipeBook): PublishedTraining[] {
  return publishedTrainings(folderOf(book), book.task);
}

/** Every training that a task's recipes describe: the rows of the table, and the recipes that bring a backbone of their own. */
export function trainingsOf(book: RecipeBook): RecipeChoice[] {
  const rows = publishedOf(book).map(({ recipe, backbone }) => ({ recipe, backbone }));
  const named = new Set(rows.map(({ recipe }) => recipe));
  return [...rows, ...recipeNames(book).flatMap((recipe) => (named.has(recipe) ? [] : { recipe }))];
}

/** @throws UsageError if there is no such recipe, or if it needs a backbone; ConfigError if a file is wrong. */
export function openRecipe(book: RecipeBook, { recipe, backbone }: RecipeChoice): Recipe {
  const names = recipeNames(book);
  if (!names.includes(recipe)) {
    const hint = didYouMean(recipe, names);
    throw new UsageError(`--recipe ${clip(recipe)}: expected one of ${names.join(', ')}${hint}`);
  }
  const file = join(folderOf(book), book.task, `${recipe}.yaml`);
  const tree = readYaml(file);
  const rows = publishedOf(book).filter((row) => row.recipe === recipe);
  if (backbone === undefined) {
    if (namesBackbone(tree)) return { recipe, file, tree, note: '' };
    const known = rows.map((row) => row.backbone).join(', ');
    throw new UsageError(`--recipe ${recipe}: choose a backbone with --backbone; published are ${known}`);
  }
  const row = rows.find((one) => one.backbone === backbone);
  const layers = [...(row?.changes ?? []), backboneLayer(backbone)];
  const note = rows.length === 0 ? '' : `${recipe} on ${clip(backbone)}: ${describeRow(row)}`;
  return { recipe, backbone, file, tree: layers.reduce(overlay, tree), note };
}

/** Sample recipes bring their own backbone. */
function namesBackbone(tree: Located): boolean {
  return (
    ['model', 'backbone', 'name'].reduce<Located | undefined>((here, key) => here && childOf(here, key), tree) !==
    undefined
  );
}

function describeRow(row: PublishedTraining | undefined): string {
  if (row === undefined) return "not a published pair, the recipe's own settings";
  const score = describeScore(row.score);
  return score === '' ? `no score to compare with; settings: ${row.source}` : `published ${score} (${row.source})`;
}

/** `model: { backbone: { name } }`, given on the command line. */
function backboneLayer(name: string): Located {
  const origin = { argument: `--backbone ${name}`, path: 'model.backbone.name' };
  const inside = (key: string, node: Located): Located => ({ origin, content: new Map([[key, node]]) });
  return inside('model', inside('backbone', inside('name', { origin, content: name })));
}

function folderOf({ task, folders }: RecipeBook): string {
  const found = folders.find((folder) => existsSync(join(folder, TABLE)));
  if (found === undefined)
    throw new UsageError(`the recipes of ${task} are not where this program expects them: ${folders[0]}`);
  return found;
}
