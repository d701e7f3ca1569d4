/** The top of every program: it ends with 0 only when its work is done, and never without a word when it is not. */
import { withoutControls } from './describe-error';
import { type ExitCode, reportError } from './report-error';

/**
 * Runs a program's work and ends the process with its exit code.
 *
 * An error that reaches this place, also one that is thrown where nobody waits for it, becomes one line on standard error
 * (and its stack with `--debug`). A process that ends while the work is still going on, since nothing keeps it alive or
 * something called `process.exit(0)`, says so and ends with 1. A reader of standard output who has seen enough, such as
 * `head`, is no error. What is said through `console` may hold names out of files: a terminal shows their control characters and
 * does not obey them.
 * @param name as users type it.
 * @param main the work, with the arguments after the program's name.
 */
export function runProgram(name: string, main: (args: readonly string[]) => ExitCode | Promise<ExitCode>): void {
  const args = process.argv.slice(2);
  disarmConsole();
  let reported = false;
  const fail = (error: unknown): void => {
    reported = true;
    process.exitCode = reportError(error, args);
  };
  let ended = false;
  process.on('exit', (code) => {
    if (ended || reported || code !== 0) return;
    process.exitCode = 1;
    process.stderr.write(
      `${name}: ended before its work was done: nothing was left to wait for; results may be missing\n`,
    );
  });
  // Work that was going on when this error came may never end, and threads may keep the process alive: it ends now.
  process.on('uncaughtException', (error: unknown) => {
    fail(error);
    process.exit();
  });
  for (const stream of [process.stdout, process.stderr]) stream.on('error', unlessReaderLeft);

  // An error in what `main` does at once becomes a rejection too.
  void Promise.resolve()
    .then(() => main(args))
    .then((code) => {
      ended = true;
      // An error that nobody waited for decides, whatever the work says.
      if (!reported) process.exitCode = code;
    }, fail);
}

function disarmConsole(): void {
  for (const method of ['log', 'error', 'warn'] as const) {
    const say = console[method].bind(console);
    console[method] = (...values: unknown[]) => say(...values.map((value) => (typeof value === 'string' ? withoutControls(value) : value))); // prettier-ignore
  }
}

function unlessReaderLeft(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}
