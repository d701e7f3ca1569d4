/** Something inside a step that a recorded graph cannot repeat. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';

  /**
   * @param what happened, in words.
   * @param advice what to do instead.
   */
  constructor(step: string, what: string, advice: string) {
    super(`compile '${step}': ${what} at ${callerOutsideLibraries(deepStack())}; ${advice}`);
  }
}

/** The stack here, down to the caller of TensorFlow.js, whose own calls often fill the usual ten lines. */
function deepStack(): string | undefined {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 100;
  const { stack } = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return stack;
}

/** TensorFlow.js, installed or as its source maps name it, this library, and Node itself. */
const LIBRARIES =
  /node_modules|tfjs-[a-z-]+[\\/]src|[\\/]graph[\\/](?:src|dist)[\\/](?!.*\.spec\.)|^\s+at (node:|<anonymous>)/;

/** The innermost stack line that belongs neither to TensorFlow.js nor to the builder. */
function callerOutsideLibraries(stack = ''): string {
  const lines = stack.split('\n').slice(1);
  const own = lines.find((line) => !LIBRARIES.test(line));
  return (own ?? 'an unknown place').trim().replace(/^at /, '');
}
