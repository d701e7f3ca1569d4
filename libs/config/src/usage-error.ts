/** Wrong usage or a wrong configuration: the program ends with code 2 and the message alone, without a stack. */
export class UsageError extends Error {
  readonly exitCode = 2;

  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

/**
 * Builds what a configuration describes, whose values may each be right and not go together.
 * @throws UsageError for what a module is not made with.
 */
export function buildAs<T>(part: string, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (error instanceof RangeError && /: expected /.test(error.message))
      throw new UsageError(`${part}: ${error.message}`);
    throw error;
  }
}

/** One thing that is wrong with a configuration: `configs/x.yaml:14: train.epochs: expected at least 1, received 0`. */
export interface Problem {
  /** Where it is written: `configs/x.yaml:14` or `--set train.epochs=0`. */
  readonly where: string;
  /** Dotted path of the value; '' for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

/** So many problems are told; a file with more of them is most likely no configuration. */
const TOLD = 20;

/** Everything that is wrong with a configuration, one problem a line. */
export class ConfigError extends UsageError {
  constructor(readonly problems: readonly Problem[]) {
    const more = problems.length - TOLD;
    const lines = problems.slice(0, TOLD).map(formatProblem);
    super([...lines, ...(more > 0 ? [`and ${more} more problem${more === 1 ? '' : 's'}`] : [])].join('\n'));
  }
}

function formatProblem({ where, path, message }: Problem): string {
  // A file's name may hold line breaks.
  return (path === '' ? `${where}: ${message}` : `${where}: ${path}: ${message}`).replace(/[\r\n]+/g, ' ');
}
