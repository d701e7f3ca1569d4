export { z } from 'zod';
export { loadConfig, type LoadedConfig, type LoadOptions } from './load-config';
export {
  backboneSchema,
  evaluationSchema,
  optimizerSchema,
  runtimeSchema,
  scheduleSchema,
  trainSchema,
} from './schema';
export { ConfigError, UsageError, type Problem } from './usage-error';
