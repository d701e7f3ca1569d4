/** Names of what is recorded, by which a profile of a compiled step tells whose an operation is. */
import { engineBackend } from './engine';

/**
 * Runs `work`; operations that a graph records meanwhile have the scope in their names, of several the innermost.
 * @param scope letters, digits and `_ . - /`, such as `forward/stem.conv`.
 */
export function inScope<T>(scope: string, work: () => T): T {
  const recording = engineBackend()?.binding.recording;
  return recording === undefined ? work() : recording.inScope(scope, work);
}
