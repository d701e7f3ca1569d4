/** A model that was closed is asked for results. */
export class ClosedError extends Error {
  constructor() {
    super('it was closed: expected images before close()');
    this.name = 'ClosedError';
  }
}
