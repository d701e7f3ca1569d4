/** YAML run configurations with a schema, overrides and errors that name file and line. */
export { z } from 'zod';
export { configText, type ConfigSource, loadConfig, type LoadedConfig, type LoadOptions } from './load-config';
export { openRecipe, publishedOf, type Recipe, type RecipeBook, recipeNames } from './recipes';
export {
  backboneSchema,
  classWeightsSchema,
  evaluationSchema,
  freezeSchema,
  type HeldShare,
  optimizerSchema,
  runtimeSchema,
  scheduleSchema,
  trainSchema,
  validationSchema,
} from './schema';
export { readMapping } from './read-yaml';
export { openStoredConfig, type StoredConfig } from './stored-config';
export { ConfigError, UsageError, type Problem } from './usage-error';
