/** Any error as what a user is told: messages that were written for users as they are, all others in one line. */
import { types } from 'node:util';
import { explainFileError, isSystemError } from '@pyramidal/files';

const MAX_LINE = 1000;

/** Of a message with lines of its own, such as a list of faults of a configuration. */
const MAX_TEXT = 20_000;

const HINT = '(--debug shows where)';

/** What JavaScript throws at a fault of the program. */
const FAULTS = ['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError', 'EvalError', 'URIError'];

/** What V8 says where memory for an array is refused. */
const TOO_LARGE = /^(Invalid typed array length: \d+|Array buffer allocation failed|Invalid array length)$/;

/** A frame in Node, in TensorFlow's binding, or in a package that is not ours. */
const FOREIGN = /\(?(node:|.*[\\/]tfjs-node[\\/]|.*[\\/]node_modules[\\/](?!@pyramidal[\\/]|@cocoeval[\\/]))/;

/**
 * What standard error says about an error.
 * @returns the message of an error that carries an `exitCode` or has a class of its own, since its author wrote it for
 * users; `path: reason (call)` where the operating system refused something; else one line with a hint to `--debug`.
 */
export function describeError(error: unknown): string {
  if (!isError(error)) return `unexpected error: ${oneLine(String(error))} ${HINT}`;
  if (ownExitCode(error) !== undefined) return printable(error.message);
  if (isSystemError(error)) return oneLine(systemMessage(error));
  if (error instanceof AggregateError && error.errors.length > 0) return describeError(error.errors[0]);
  const message = oneLine(error.message) || error.name;
  if (TOO_LARGE.test(message)) return `not enough memory: ${message}; smaller batches or images need less`;
  if (FAULTS.includes(error.name)) return `unexpected error: ${message} ${HINT}`;
  return error.name === 'Error' && isForeign(error) ? `${message} ${HINT}` : message;
}

/** The code that a program ends with after an error: its own `exitCode`, which is 2 for wrong usage, or 1. */
export function exitCodeOf(error: unknown): number {
  return ownExitCode(error) ?? 1;
}

function ownExitCode(error: unknown): number | undefined {
  const code = (error as { exitCode?: unknown } | null | undefined)?.exitCode;
  return typeof code === 'number' && code > 0 && code < 256 ? code : undefined;
}

/** Also of another context than this one, as modules under Jest are. */
const isError = (value: unknown): value is Error => value instanceof Error || types.isNativeError(value);

function systemMessage(error: NodeJS.ErrnoException): string {
  const { path, syscall } = error;
  const reason = explainFileError(error);
  if (syscall === 'uv_cwd') return `the current folder: ${reason}`;
  return path === undefined ? `${syscall}: ${reason}` : `${path}: ${reason} (${syscall})`;
}

/** Whether code that is not ours threw it, in words that may tell a user little. */
function isForeign({ stack = '' }: Error): boolean {
  const top = /\n\s+at (?:.*? )?(\(?\S+?:\d+:\d+\)?)/.exec(stack)?.[1];
  return top !== undefined && FOREIGN.test(top);
}

/** Control characters but for the line feed, which names of files and classes may hold: a terminal would obey them. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g;

/** A message as a terminal may show it: without control characters, and what is very long, or has very long lines, is cut. */
export const printable = (text: string): string =>
  withoutControls(cut(text, MAX_TEXT).replace(/.+/g, (line) => cut(line, MAX_LINE)));

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}...` : text);

/** A text as a terminal may show it: `\u001b` is written, not obeyed. */
export function withoutControls(text: string): string {
  return text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** TensorFlow's and Node's messages may have several lines. */
function oneLine(text: string): string {
  return printable(cut(text, 2 * MAX_LINE).trim().replace(/\s*[\r\n]+\s*/g, '; ')); // prettier-ignore
}
