/** Parameters of an address, checked; the page and the server read them alike. */

/** A parameter that is not what it may be; the message says what was expected. */
export class QueryError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'QueryError';
  }
}

/** Anything else is refused, so that a filter that is misspelt is not passed over. @throws QueryError */
export function requireKnown(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (!known.includes(name)) throw new QueryError(`expected ${known.join(', ')}, received ${show(name)}`);
  }
}

/** A number of a range. @throws QueryError */
export function readNumber(query: URLSearchParams, name: string, otherwise: number, most = 1): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= most) return value;
  throw new QueryError(`${name}: expected a number from 0 to ${most}, received ${show(text)}`);
}

/** A whole number below a limit. @throws QueryError */
export function readIndex(query: URLSearchParams, name: string, limit: number): number | undefined {
  const text = query.get(name);
  return text === null ? undefined : indexOf(text, name, limit);
}

/** Whole numbers below a limit, with commas between them. @throws QueryError */
export function readIndices(query: URLSearchParams, name: string, limit: number): ReadonlySet<number> {
  return new Set(parts(query, name).map((text) => indexOf(text, name, limit)));
}

/** Some of a list of words, with commas between them. @throws QueryError */
export function readWords<Word extends string>(
  query: URLSearchParams,
  name: string,
  words: readonly Word[],
): ReadonlySet<Word> {
  return new Set(parts(query, name).map((text) => wordOf(text, name, words)));
}

/** One of a list of words, the first of them where there is none. @throws QueryError */
export function readWord<Word extends string>(query: URLSearchParams, name: string, words: readonly Word[]): Word {
  return wordOf(query.get(name) ?? words[0]!, name, words);
}

/** Two whole numbers with a colon between them, `row:column` of a confusion matrix. @throws QueryError */
export function readCell(query: URLSearchParams, limit: number): readonly [row: number, column: number] | undefined {
  const text = query.get('cell');
  if (text === null) return undefined;
  const [row, column, ...rest] = text.split(':');
  if (column === undefined || rest.length > 0) {
    throw new QueryError(`cell: expected ROW:COLUMN, received ${show(text)}`);
  }
  return [indexOf(row!, 'cell', limit), indexOf(column, 'cell', limit)];
}

function indexOf(text: string, name: string, limit: number): number {
  if (/^\d{1,9}$/.test(text) && Number(text) < limit) return Number(text);
  throw new QueryError(`${name}: expected a whole number below ${limit}, received ${show(text)}`);
}

function wordOf<Word extends string>(text: string, name: string, words: readonly Word[]): Word {
  const word = words.find((candidate) => candidate === text);
  if (word !== undefined) return word;
  throw new QueryError(`${name}: expected ${words.join(', ')}, received ${show(text)}`);
}

function parts(query: URLSearchParams, name: string): string[] {
  return (query.get(name) ?? '').split(',').filter((part) => part !== '');
}

const MOST_SHOWN = 60;
const show = (text: string): string => `'${text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}...` : text}'`;
