/** Training cannot start or go on: one line that says why, and the code that the program ends with. */
export class TrainingError extends Error {
  override readonly name: string = 'TrainingError';

  /** @param exitCode 1: it failed while running; 2: it was asked for something that cannot be. */
  constructor(
    message: string,
    readonly exitCode: 1 | 2 = 1,
  ) {
    super(message);
  }
}
