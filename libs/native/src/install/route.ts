/** What the ways to a library have in common. */
import type { NativeEngine } from '../native-engine';
import type { TensorFlowLibrary } from './library';
import type { InstallProgress } from './progress';

/** What every way to a TensorFlow library is told. */
export interface RouteContext {
  readonly engine: NativeEngine;
  readonly cache: string;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: InstallProgress;
  /** Version of the wheel to download. */
  readonly tensorflow: string;
}

/** A library that a route has brought about. */
export interface FoundLibrary {
  readonly library: TensorFlowLibrary;
  /** The folder in our store that it lies in; absent for a library that is not ours. */
  readonly stored?: string;
  /** Where it came from, in plain words. */
  readonly origin: string;
  /** An addon that came with it; compiled here where there is none. */
  readonly addon?: string;
}
