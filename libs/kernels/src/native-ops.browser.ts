/** The native engine's operations in browsers, which have none: a page is spared their code. */
import type { NativeOps } from './native-ops';

export type { NativeOps };

export const nativeOps = (): NativeOps | null => null;
export const ownOps = nativeOps;
export const processorOps = nativeOps;
export const recordedProcessorOps = nativeOps;
export const inSingleOperations = <T>(work: () => T): T => work();
