/** What a service needs of a model. */

/** How a caller asks about an image. */
export interface Ask {
  /** The parameters behind the address's `?`. */
  readonly query: Readonly<Record<string, string>>;
  /** Aborts when the caller has gone or the time is up. */
  readonly signal: AbortSignal;
}

/** A model that answers about one image at a time, of many callers. */
export interface ServedModel {
  /** Such as `detection`. */
  readonly task: string;
  /** Names of what it knows, by label. */
  readonly classes: readonly string[];
  /**
   * @param image the bytes of its file.
   * @returns what JSON can hold.
   * @throws BrokenImageError if it cannot be read; RequestError about the query.
   */
  predict(image: Uint8Array, ask: Ask): Promise<object>;
  /** Finishes what it was asked and frees all that it holds. */
  close(): Promise<void>;
}
