/** How a program shows how far it is, and how it ends: with its exit code and one clear line, whatever happens. */
export { printable, withoutControls } from './describe-error';
export { openLive, type Live, type LiveOptions } from './live';
export { reportError, type ExitCode } from './report-error';
export { runProgram } from './run-program';
