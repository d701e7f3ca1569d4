/** A failure to install or open an engine. Its message is one line: what failed, why, and what to do about it. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
}
