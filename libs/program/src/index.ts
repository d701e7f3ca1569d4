/** How a program ends: with its exit code and one clear line, whatever happens. */
export { reportError, type ExitCode } from './report-error';
export { runProgram } from './run-program';
