/** `pyramidal-runtime install`. */
import { RuntimeError } from '@pyramidal/kernels/engine';
import { installNative, type NativeEngine, showProgress } from '@pyramidal/native';

export interface InstallCommandOptions {
  readonly engine: NativeEngine;
  readonly library?: string;
  readonly tensorflow?: string;
  readonly force?: boolean;
  /** Says nothing when there is nothing to do. */
  readonly quiet?: boolean;
  /** Where the native engine cannot be installed, says so in one line; this is not a failure then. */
  readonly optional?: boolean;
}

/** Installs the native engine and tells how it went; returns the exit code. */
export async function installCommand(options: InstallCommandOptions): Promise<number> {
  const { engine, library, tensorflow, force, quiet, optional } = options;
  const progress = showProgress();
  try {
    const { installation, already } = await installNative({ engine, library, tensorflow, force, progress });
    if (already && quiet) return 0;
    const { tensorflow: version, origin, withoutGraphs } = installation;
    const what = `${engine} is ${already ? 'ready' : 'installed'}: TensorFlow ${version} from ${origin}`;
    const slow =
      withoutGraphs === undefined ? '' : `; steps run operation by operation, far more slowly: ${withoutGraphs}`;
    process.stdout.write(`${what}${slow}\n`);
    return 0;
  } catch (error) {
    if (!optional || !(error instanceof RuntimeError)) throw error;
    process.stdout.write(`No native TensorFlow, so the wasm engine is used: ${error.message}\n`);
    return 0;
  } finally {
    progress.end();
  }
}
