/** A configuration that a checkpoint brings along. */
import type { Located } from './located';
import { checkText } from './read-text';
import { parseMapping } from './read-yaml';

/** A configuration that was resolved before it was stored, as a tree. */
export interface StoredConfig {
  /** What errors call it. */
  readonly file: string;
  readonly tree: Located;
}

/** What is said of the machine that trained, which need not be this one. */
const OF_THE_MACHINE = ['engine', 'threads'];

/**
 * Reads the configuration out of a checkpoint, without the engine and its threads: those are this machine's own.
 * @param file what errors call it.
 * @throws UsageError or ConfigError if it is damaged.
 */
export function openStoredConfig(text: string, file: string): StoredConfig {
  const { origin, content } = parseMapping(checkText(text, file), file);
  const runtime = content.get('runtime');
  if (!(runtime?.content instanceof Map)) return { file, tree: { origin, content } };
  const kept = [...runtime.content].filter(([key]) => !OF_THE_MACHINE.includes(key));
  const portable = { origin: runtime.origin, content: new Map(kept) };
  return { file, tree: { origin, content: new Map([...content, ['runtime', portable]]) } };
}
