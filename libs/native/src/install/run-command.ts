/** Commands of the system. */
import { spawn } from 'node:child_process';

export interface CommandResult {
  /** null when the command could not be started. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly missing: boolean;
}

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Sees the standard output as it arrives. */
  readonly onOutput?: (text: string) => void;
}

/** Runs a command to its end; a command that is not there is a result (`missing`), not an exception. */
export function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    const end = () => child.kill();
    process.once('exit', end);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      options.onOutput?.(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const settle = (result: Pick<CommandResult, 'code' | 'signal' | 'missing'>) => {
      process.off('exit', end);
      resolve({ ...result, stdout, stderr });
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      stderr ||= error.message;
      settle({ code: null, signal: null, missing: error.code === 'ENOENT' });
    });
    child.once('close', (code, signal) => settle({ code, signal, missing: false }));
  });
}

/** The last line of a command's complaint that says something. */
export function lastLine(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter(Boolean).at(-1) ?? '';
}
