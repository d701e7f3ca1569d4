/** Python and pip, as far as installing needs them. */
import { runCommand } from './run-command';

export interface Python {
  /** The command and its first arguments. */
  readonly command: readonly [string, ...string[]];
  readonly version: string;
}

export interface PythonTensorFlow {
  readonly folder: string;
  readonly version: string;
}

const LOCATE = `
import importlib.util, importlib.metadata as metadata, json, os
spec = importlib.util.find_spec('tensorflow')
if spec and spec.origin:
    names = ['tensorflow', 'tensorflow-cpu', 'tensorflow-gpu', 'tensorflow-macos', 'tensorflow-intel', 'tensorflow-rocm']
    versions = [d.version for d in metadata.distributions() if (d.metadata['Name'] or '').lower().replace('_', '-') in names]
    print(json.dumps({'folder': os.path.dirname(spec.origin), 'version': versions[0] if versions else 'unknown'}))
`;

/** The first Python 3 that answers: `PYRAMIDAL_PYTHON`, then the usual names. */
export async function findPython(env: NodeJS.ProcessEnv = process.env): Promise<Python | undefined> {
  const launcher: readonly [string, ...string[]][] = process.platform === 'win32' ? [['py', '-3']] : [];
  const named: readonly [string, ...string[]][] = env.PYRAMIDAL_PYTHON ? [[env.PYRAMIDAL_PYTHON]] : [];
  for (const command of [...named, ...launcher, ['python3'] as const, ['python'] as const]) {
    const { code, stdout } = await runPython({ command, version: '' }, ['--version'], env);
    const version = /^Python (3\.\S+)/.exec(stdout)?.[1];
    if (code === 0 && version) return { command: [...command], version };
  }
  return undefined;
}

/** Left out of the environment: pip would colour its report and its errors, which are read here. */
const PLAIN = { FORCE_COLOR: undefined, TTY_COMPATIBLE: undefined };

export const runPython = (
  python: Python,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  onOutput?: (text: string) => void,
) => runCommand(python.command[0], [...python.command.slice(1), ...args], { env: { ...env, ...PLAIN }, onOutput });

/** Where this Python keeps TensorFlow, found without importing it. */
export async function findPythonTensorFlow(
  python: Python,
  env: NodeJS.ProcessEnv = process.env,
): Promise<PythonTensorFlow | undefined> {
  const { code, stdout } = await runPython(python, ['-c', LOCATE], env);
  return code === 0 && stdout.trim() ? (JSON.parse(stdout) as PythonTensorFlow) : undefined;
}

/** The version of pip, or undefined when this Python has none. */
export async function findPip(python: Python, env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const { code, stdout } = await runPython(python, ['-m', 'pip', '--version'], env);
  return code === 0 ? /^pip (\S+)/.exec(stdout)?.[1] : undefined;
}
