/** Memory of typed arrays, freed before a session takes its own. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Frees what JavaScript no longer uses. V8 counts typed arrays too lightly to do it by itself before the engine takes
 * memory of its own beside them.
 */
export function collectGarbage(): void {
  collect ??= exposed();
  collect();
}

function exposed(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
