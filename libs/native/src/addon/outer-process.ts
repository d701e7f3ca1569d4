/** The process behind a test runner's copy of it. */
import { runInThisContext } from 'node:vm';

/**
 * Node's own `process`. Test runners hand out a copy whose `env` never reaches the C library's environment, where
 * TensorFlow reads its settings.
 */
export const outerProcess = (): NodeJS.Process => runInThisContext('process') as NodeJS.Process;
