/** The configuration that a program is told. */
import { type ConfigSource, loadConfig, type LoadedConfig, type z } from '@pyramidal/config';

/**
 * The configuration that a command names, checked; what is published for a recipe is told when nothing is wrong.
 * @throws ConfigError that lists every problem; UsageError if a file cannot be read.
 */
export function openConfig<S extends z.ZodType>(
  schema: S,
  { config, set }: { readonly config: ConfigSource; readonly set: readonly string[] },
): LoadedConfig<z.output<S>> {
  const loaded = loadConfig(schema, config, { set });
  if (typeof config !== 'string' && 'note' in config && config.note !== '') console.error(config.note);
  return loaded;
}
