/** A failure to install or open an engine, told in one line: what, why, and what to do about it. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
}
