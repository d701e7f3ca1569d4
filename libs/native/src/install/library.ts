/** A TensorFlow library on disk. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A TensorFlow C library on disk: what the compiler and the linker need of it. */
export interface TensorFlowLibrary {
  /** Folder of the shared objects; the addon's rpath. */
  readonly folder: string;
  readonly include: string;
  /** Names of the shared objects to link, the API first. */
  readonly objects: readonly string[];
}

/** A Python wheel has its C API inside `libtensorflow_cc`; the C distribution calls it `libtensorflow`. */
const API_OBJECT = /^(libtensorflow(_cc)?(\.so(\.\d+)*|(\.\d+)*\.dylib)|tensorflow\.dll)$/;
const FRAMEWORK_OBJECT = /^libtensorflow_framework(\.so(\.\d+)*|(\.\d+)*\.dylib)$/;

/**
 * Looks for a TensorFlow library in a folder: one that holds the shared objects itself, in `lib` (the C distribution)
 * or in `tensorflow` (site-packages).
 */
export function findLibrary(folder: string): TensorFlowLibrary | undefined {
  for (const candidate of [folder, join(folder, 'lib'), join(folder, 'tensorflow')]) {
    const include = [join(candidate, 'include'), join(candidate, '..', 'include')].find(hasHeaders);
    const objects = sharedObjects(candidate);
    if (include && objects.length > 0) return { folder: candidate, include, objects };
  }
  return undefined;
}

const hasHeaders = (include: string): boolean => existsSync(join(include, 'tensorflow', 'c', 'eager', 'c_api.h'));

/** Whether the headers of TensorFlow's C++ interface are there, which the addon for graphs is compiled with. */
export const hasSessionHeaders = ({ include }: TensorFlowLibrary): boolean =>
  existsSync(join(include, 'tensorflow', 'core', 'public', 'session.h')) && existsSync(join(include, 'Eigen', 'Core'));

/** The objects to link in a folder, the API first; empty where there are none. */
export function sharedObjects(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder);
  const shortest = (pattern: RegExp) => names.filter((name) => pattern.test(name)).sort(byLength)[0];
  const api = shortest(API_OBJECT);
  const framework = shortest(FRAMEWORK_OBJECT);
  if (!api) return [];
  return framework ? [api, framework] : [api];
}

const byLength = (a: string, b: string) => a.length - b.length || a.localeCompare(b);
