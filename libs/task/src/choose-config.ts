/** What a command is to do with: a configuration's file, a recipe on a backbone, or what the weights bring along. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { openRecipe, type Recipe, UsageError } from '@pyramidal/config';
import { isRun } from '@pyramidal/inference';
import type { TaskApp } from './task-app';

/** The whole configuration of a run, in its folder. */
const KEPT = 'config.yaml';

/** As the user typed it. */
export interface ConfigChoice {
  /** A configuration, or the folder of a run, which has its own. */
  readonly file?: string | undefined;
  readonly recipe?: string | undefined;
  readonly backbone?: string | undefined;
}

/** What the user chose. */
export type ChosenConfig = string | Recipe;

/** @throws UsageError unless exactly one of file and recipe is there, and the recipe exists. */
export function chooseConfig(app: TaskApp, choice: ConfigChoice): ChosenConfig {
  const chosen = chooseIfAny(app, choice);
  if (chosen === undefined) throw new UsageError(`${app.name}: expected a configuration, or --recipe and --backbone`);
  return chosen;
}

/**
 * The same of a command that is told weights, which may bring their configuration along.
 * @returns undefined if the user chose none. @throws UsageError if both file and recipe are there, or no such recipe.
 */
export function chooseIfAny(
  { name, recipes }: TaskApp,
  { file, recipe, backbone }: ConfigChoice,
): ChosenConfig | undefined {
  if (recipe === undefined) {
    if (backbone !== undefined) {
      throw new UsageError('--backbone goes with --recipe; for a configuration, --set model.backbone.name=...');
    }
    return file && configAt(file);
  }
  if (file !== undefined)
    throw new UsageError(`--recipe ${recipe}: expected no configuration beside it, received ${file}`);
  if (recipes === undefined) throw new UsageError(`--recipe ${recipe}: ${name} has no recipes`);
  return openRecipe(recipes, { recipe, backbone });
}

/** @throws UsageError for a folder in which no run has left its configuration. */
function configAt(path: string): string {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  const own = join(path, KEPT);
  if (existsSync(own)) return own;
  throw new UsageError(`${path}: expected a configuration, or the folder of a run with ${KEPT}`);
}

/** Where what is made by a configuration belongs: the run that keeps it, else `runs/x` for configs/x.yaml. */
export function runFolder(config: ChosenConfig): string {
  const isKept = typeof config === 'string' && basename(config) === KEPT && isRun(dirname(config));
  return isKept ? dirname(config) : join('runs', runName(config));
}

/** Recipe and backbone in one word for a recipe. */
function runName(config: ChosenConfig): string {
  if (typeof config === 'string') return basename(config, extname(config));
  return [config.recipe, config.backbone].filter((part) => part !== undefined).join('_');
}
