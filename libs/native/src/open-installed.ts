/** Opens a native engine that is installed. */
import { FileError, isThere } from '@pyramidal/files';
import { RuntimeError } from '@pyramidal/kernels/engine';
import { openNative } from './addon/open-native';
import { cacheFolder } from './install/cache-folder';
import { findFault, type Installation, readInstallation, recordFile } from './install/installation';
import type { NativeEngine } from './native-engine';

export interface NativeOptions {
  /** The TensorFlow that `install` was given by path; `PYRAMIDAL_TENSORFLOW` by default. */
  readonly library?: string;
  /** Threads that compute; one per processor core by default. */
  readonly threads?: number;
}

export interface OpenedNative {
  /** The number that this process first opened TensorFlow with, which it keeps. */
  readonly threads: number;
  /** TensorFlow's version. */
  readonly tensorflow: string;
  /** The folder of its shared objects. */
  readonly library: string;
  /** The path of an addon with `decodeJpeg(file, pixels, width, height)`, if the library has a decoder. */
  readonly jpegDecoder: string | undefined;
}

/** Whether an installation of the engine is recorded; `openInstalled` finds out whether it is sound. */
export function isInstalled(engine: NativeEngine, options: NativeOptions = {}): boolean {
  return isThere(recordFile(cacheFolder(), engine, libraryPath(options)));
}

/**
 * Opens an installed native engine and makes it the backend of TensorFlow.js.
 * @throws RuntimeError in one line: not installed, damaged, or why it does not load; with the command that mends it.
 */
export async function openInstalled(engine: NativeEngine, options: NativeOptions = {}): Promise<OpenedNative> {
  const command = installCommand(engine, libraryPath(options));
  const again = (fault: string) => new RuntimeError(`${engine} needs to be installed again (${command}): ${fault}`);
  const installation = readInstalled(engine, options, again);
  if (!installation) throw new RuntimeError(`${engine} is not installed (${command})`);
  const fault = await findFault(installation, 'quick');
  if (fault) throw again(fault);
  const { threads, jpegDecoder } = await openNative(engine, installation, options.threads);
  return { threads, tensorflow: installation.tensorflow, library: installation.library, jpegDecoder };
}

const libraryPath = ({ library }: NativeOptions): string | undefined => library ?? process.env.PYRAMIDAL_TENSORFLOW;

function readInstalled(
  engine: NativeEngine,
  options: NativeOptions,
  damaged: (fault: string) => RuntimeError,
): Installation | undefined {
  try {
    return readInstallation(cacheFolder(), engine, libraryPath(options));
  } catch (error) {
    throw error instanceof FileError ? damaged(error.message) : error;
  }
}

function installCommand(engine: NativeEngine, path: string | undefined): string {
  const which = engine === 'tensorflow' ? '' : ` --engine ${engine}`;
  return `\`pyramidal-runtime install${which}${path ? ` --library ${path}` : ''}\``;
}
