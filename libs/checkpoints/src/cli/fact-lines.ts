/** What a file holds besides tensors, as lines: a configuration with its own, a record with one for each member. */
import { shorten } from './table';

/** Lines of one text, so that no file fills a terminal for ever. */
const MAX_LINES = 2000;

/** `name: value`, or the name and below it the lines of the value; numbers and names in it stay on their line. */
export function factLines(name: string, value: string): string[] {
  const below = linesOf(value);
  if (below === undefined) return [`${shorten(name)}: ${shorten(value)}`];
  const more = below.length - MAX_LINES;
  const shown = below.slice(0, MAX_LINES).map((line) => `  ${shorten(line)}`);
  return [`${shorten(name)}:`, ...shown, ...(more > 0 ? [`  and ${more} more lines`] : [])];
}

function linesOf(value: string): string[] | undefined {
  const record = recordIn(value);
  if (record !== undefined) return Object.entries(record).flatMap(([key, member]) => memberLines(key, member));
  return value.includes('\n') ? value.trimEnd().split('\n') : undefined;
}

/** A list of records takes a line each, in two spaces. */
function memberLines(key: string, member: unknown): string[] {
  const isList = Array.isArray(member) && member.length > 0 && member.every((item) => item instanceof Object);
  if (!isList) return [`${key}: ${typeof member === 'string' ? member : JSON.stringify(member)}`];
  return [`${key}:`, ...member.map((item) => `  ${JSON.stringify(item)}`)];
}

/** @returns undefined for a text that is no JSON object: it is shown as it is. */
function recordIn(value: string): object | undefined {
  if (!value.startsWith('{')) return undefined;
  try {
    return JSON.parse(value) as object;
  } catch {
    return undefined;
  }
}
