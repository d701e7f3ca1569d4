/** YAML run configurations with a schema, overrides and errors that name file and line. */
export { z } from 'zod';
export { type ConfigSource, loadConfig, type LoadedConfig, type LoadOptions } from './load-config';
export { describeUnread, namingClasses, only, readBy, type Reader } from './readers';
export { openRecipe, type Recipe, type RecipeBook, type RecipeChoice, trainingsOf } from './recipes';
export {
  backboneSchema,
  classWeightsSchema,
  evaluationSchema,
  freezeSchema,
  type HeldShare,
  runtimeSchema,
  type SharedConfig,
  trainSchema,
  validationSchema,
} from './schema';
export { readMapping } from './read-yaml';
export { openStoredConfig, type StoredConfig } from './stored-config';
export { buildAs, ConfigError, UsageError, type Problem } from './usage-error';
export { requiredValidationSet, validationSet, type ValidationSet } from './validation-set';
