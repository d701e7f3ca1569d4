/** A request that cannot be answered as it is; the message says what was expected. */
export class RequestError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RequestError';
  }
}
