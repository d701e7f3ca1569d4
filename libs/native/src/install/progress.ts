/** Told by an installation as it goes; the CLI draws it, a script may ignore it. */
export interface InstallProgress {
  /** A step begins, in plain words. */
  step(text: string): void;
  /** Bytes of the current step that are done, of `total` where that is known. */
  bytes(done: number, total?: number): void;
}

export const SILENT: InstallProgress = { step: () => undefined, bytes: () => undefined };
