/** Dawn, the WebGPU of Chrome, which the npm package `webgpu` brings to Node. */
import { RuntimeError } from '@pyramidal/kernels/engine';

/** What is used of the package. */
export interface Dawn {
  /** @param flags such as `adapter=NAME`. */
  create(flags: readonly string[]): GPU;
  /** The classes and constants that a browser has as globals. */
  readonly globals: Readonly<Record<string, unknown>>;
}

/** By its name alone: it is there only where a user has installed it, 130 MB on disk. */
const PACKAGE: string = 'webgpu';

/** @throws RuntimeError in one line, if the package is missing or does not load. */
export async function loadDawn(): Promise<Dawn> {
  try {
    return (await import(PACKAGE)) as Dawn;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_MODULE_NOT_FOUND' && message.includes(`'${PACKAGE}'`)) {
      throw new RuntimeError('webgpu: the package is not installed; run `npm install webgpu`');
    }
    const { platform, arch } = process;
    throw new RuntimeError(`webgpu: the package does not load on ${platform} ${arch}: ${message.split('\n', 1)[0]}`);
  }
}
