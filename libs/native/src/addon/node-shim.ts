/** What newer versions of Node took away from tfjs-node. */
import util from 'node:util';

/**
 * Gives `util` the two functions that tfjs-node calls: Node 23 removed them, and Node 22 warns of every use. Node's own
 * objects are shared by all modules, and these do what the originals did.
 */
export function provideLegacyUtilities(): void {
  Object.assign(util, {
    isNullOrUndefined: (value: unknown): boolean => value === null || value === undefined,
    isArray: (value: unknown): boolean => Array.isArray(value),
  });
}
