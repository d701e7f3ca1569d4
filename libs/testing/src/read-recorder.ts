/** Which values of an object somebody reads. */

/** Gives copies of objects that note the path of each value that is read. */
export class ReadRecorder {
  private readonly paths = new Set<string>();

  /** A copy that looks the same, to spread, to clone and to write out as well. */
  watch<T>(value: T, path = ''): T {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    const copy = {};
    for (const [key, inner] of Object.entries(value)) {
      const own = path === '' ? key : `${path}.${key}`;
      const watched: unknown = this.watch(inner, own);
      Object.defineProperty(copy, key, { enumerable: true, get: () => (this.paths.add(own), watched) });
    }
    return copy as T;
  }

  /** The paths that were read since they were last taken. */
  take(): Set<string> {
    const taken = new Set(this.paths);
    this.paths.clear();
    return taken;
  }
}
