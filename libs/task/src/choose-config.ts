/** What a command is to do with: a configuration's file, or a recipe on a backbone. */
import { basename, extname } from 'node:path';
import { type ConfigSource, loadConfig, type LoadedConfig, openRecipe, UsageError, type z } from '@pyramidal/config';
import type { TaskApp } from './task-app';

/** As the user typed it. */
export interface ConfigChoice {
  readonly file?: string | undefined;
  readonly recipe?: string | undefined;
  readonly backbone?: string | undefined;
}

/** @throws UsageError unless exactly one of file and recipe is there, and the recipe exists. */
export function chooseConfig({ name, recipes }: TaskApp, { file, recipe, backbone }: ConfigChoice): ConfigSource {
  if (recipe === undefined) {
    if (backbone !== undefined) {
      throw new UsageError('--backbone goes with --recipe; for a configuration, --set model.backbone.name=...');
    }
    if (file === undefined) throw new UsageError(`${name}: expected a configuration, or --recipe and --backbone`);
    return file;
  }
  if (file !== undefined)
    throw new UsageError(`--recipe ${recipe}: expected no configuration beside it, received ${file}`);
  if (recipes === undefined) throw new UsageError(`--recipe ${recipe}: ${name} has no recipes`);
  return openRecipe(recipes, { recipe, backbone });
}

/**
 * The configuration that a command names, checked; what is published for a recipe is told when nothing is wrong.
 * @throws ConfigError that lists every problem; UsageError if a file cannot be read.
 */
export function openConfig<S extends z.ZodType>(
  schema: S,
  { config, set }: { readonly config: ConfigSource; readonly set: readonly string[] },
): LoadedConfig<z.output<S>> {
  const loaded = loadConfig(schema, config, { set });
  if (typeof config !== 'string' && config.note !== '') console.error(config.note);
  return loaded;
}

/** `x` for configs/x.yaml; recipe and backbone in one word for a recipe. */
export function runName(config: ConfigSource): string {
  if (typeof config === 'string') return basename(config, extname(config));
  return [config.recipe, config.backbone].filter((part) => part !== undefined).join('_');
}
