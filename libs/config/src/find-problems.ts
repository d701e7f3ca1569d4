/** From what the schema refuses to lines that name file, line and key. */
import type { z } from 'zod';
import { clip } from './clip';
import { didYouMean } from './did-you-mean';
import { formatOrigin, formatPath, nearest, type Located, type Path } from './located';
import { childValue, isRecord, isWhole, keysAt } from './schema-walk';
import type { Problem } from './usage-error';

type Issue = z.core.$ZodIssue;

/** Turns what zod found into problems that name file, line and path, in the order of the file. */
export function findProblems(issues: readonly Issue[], schema: z.ZodType, root: Located, value: unknown): Problem[] {
  const found = issues.flatMap((issue) => explain(issue, schema, value));
  const located = found.map(({ path, message }) => {
    const { origin } = nearest(root, path);
    const isArgument = 'argument' in origin;
    const isNamed = isArgument && origin.path === path.map(String).join('.');
    const problem: Problem = { where: formatOrigin(origin), path: isNamed ? '' : formatPath(path), message };
    return { problem, rank: isArgument ? Infinity : origin.line };
  });
  return located.sort((a, b) => (a.rank === b.rank ? 0 : a.rank - b.rank)).map(({ problem }) => problem);
}

interface Finding {
  readonly path: Path;
  readonly message: string;
}

function explain(issue: Issue, schema: z.ZodType, value: unknown): Finding[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path, value);
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `unknown key, expected one of ${known.join(', ')}${didYouMean(key, known)}`,
    }));
  }
  if (issue.code === 'invalid_union' && issue.discriminator === undefined) return explainUnion(issue, schema, value);
  return [{ path, message: describe(issue, valueAt(value, path), isWhole(schema, path, value)) }];
}

/** The branch that fits best speaks: the one that fails in fewest places further inside, else all of them together. */
function explainUnion(issue: z.core.$ZodIssueInvalidUnion, schema: z.ZodType, value: unknown): Finding[] {
  const isInside = ({ path, code }: Issue): boolean => path.length > 0 || code === 'unrecognized_keys';
  const [inner] = issue.errors.filter((branch) => branch.every(isInside)).sort((a, b) => a.length - b.length);
  if (inner !== undefined) {
    return inner.flatMap((child) => explain({ ...child, path: [...issue.path, ...child.path] }, schema, value));
  }
  const received = valueAt(value, issue.path);
  const sameKind = issue.errors.find((branch) => branch.every(({ code }) => code !== 'invalid_type'));
  const branches = sameKind !== undefined ? [sameKind] : issue.errors;
  const expected = [...new Set(branches.flat().map((child) => expectation(child)))];
  return [{ path: issue.path, message: `expected ${expected.join(' or ')}, received ${show(received)}` }];
}

function describe(issue: Issue, received: unknown, whole: boolean): string {
  if (issue.code === 'custom') return issue.message;
  const expected = whole && issue.code === 'invalid_type' ? TYPE_NAMES['int']! : expectation(issue);
  if (received === undefined) return `missing, expected ${expected}`;
  const hint = typeof received === 'string' ? didYouMean(received, choices(issue)) : '';
  return `expected ${expected}, received ${measured(issue, received)}${hint}`;
}

/** A list that is too short or too long is described by its length, other values by themselves. */
function measured(issue: Issue, received: unknown): string {
  const isLength = (issue.code === 'too_small' || issue.code === 'too_big') && Array.isArray(received);
  return isLength ? String(received.length) : show(received);
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  tuple: 'a list',
  null: 'nothing',
};

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPE_NAMES[issue.expected] ?? issue.expected;
    case 'invalid_value':
    case 'invalid_union': {
      const options = choices(issue);
      return options.length === 1 ? options[0]! : `one of ${options.join(', ')}`;
    }
    case 'too_small':
      return `${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${unit(issue.origin, issue.minimum)}`;
    case 'too_big':
      return `${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}${unit(issue.origin, issue.maximum)}`;
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    default:
      return issue.message;
  }
}

function unit(origin: string, count: number | bigint): string {
  const word = origin === 'string' ? 'character' : origin === 'array' ? 'value' : '';
  return word === '' ? '' : ` ${word}${Number(count) === 1 ? '' : 's'}`;
}

function choices(issue: Issue): string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  const { options } = issue as { options?: readonly unknown[] };
  return (options ?? []).map(String);
}

/** The value at a path; for a union without a match, zod's path ends at the key that tells the options apart. */
function valueAt(value: unknown, path: Path): unknown {
  let here = value;
  for (const key of path) {
    here = childValue(here, key);
  }
  return here;
}

function show(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') return `'${clip(value)}'`;
  if (Array.isArray(value)) return 'a list';
  return isRecord(value) ? 'a mapping' : String(value);
}
