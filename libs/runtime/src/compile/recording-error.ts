/** Something inside a step that a recorded graph cannot repeat. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';

  /**
   * @param what happened, in words.
   * @param advice what to do instead.
   */
  constructor(step: string, what: string, advice: string) {
    super(`compile '${step}': ${what} at ${callerOutsideLibraries(new Error().stack)}; ${advice}`);
  }
}

/** The innermost stack line that belongs neither to TensorFlow.js nor to the recorder. */
function callerOutsideLibraries(stack = ''): string {
  const lines = stack.split('\n').slice(1);
  const own = lines.find(
    (line) => !/node_modules|[\\/]compile[\\/](?!.*\.spec\.)|^\s+at (node:|<anonymous>)/.test(line),
  );
  return (own ?? 'an unknown place').trim().replace(/^at /, '');
}
