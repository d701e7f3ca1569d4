/** Workers do not find each other, or lose each other. */
export class WorkerError extends Error {
  override readonly name = 'WorkerError';

  /** @param exitCode 1: it failed while running; 2: the workers were told something that cannot be. */
  constructor(
    message: string,
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
  }
}
