/** An error on standard error, and the exit code that follows from it. */
import { describeError, exitCodeOf } from './describe-error';

/** 0 done, 1 failed at run time, 2 wrong usage or configuration; 128 + signal when the user stopped it. */
export type ExitCode = number;

/** Writes an error in one line, and its stack where the program's arguments have `--debug`; returns the program's exit code. */
export function reportError(
  error: unknown,
  args: readonly string[],
  stderr: { write(text: string): unknown } = process.stderr,
): ExitCode {
  stderr.write(`${describeError(error)}\n`);
  if (args.includes('--debug') && error instanceof Error) stderr.write(`${stacksOf(error)}\n`);
  return exitCodeOf(error);
}

/** The stack of an error and of those that caused it. */
function stacksOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by: ${stacksOf(error.cause)}` : '';
  return `${error.stack}${cause}`;
}
