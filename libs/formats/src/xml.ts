/**
 * XML as labelling tools write it, one record at a time. Nothing is expanded and nothing is fetched: a document type is refused, and a
 * record has limits that no labels come near.
 */
import { closeSync, readSync } from 'node:fs';
import { FileError, openRegularFile } from '@pyramidal/files';
import { SaxesParser } from 'saxes';

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Its own, without spaces around it. */
  readonly text: string;
  readonly line: number;
}

/** An element that is being read. */
interface OpenElement extends XmlElement {
  readonly children: XmlElement[];
  text: string;
}

const CHUNK_BYTES = 1 << 16;
const MAX_RECORD_BYTES = 64 << 20;
const MAX_ELEMENTS = 200_000;
/** Of an element. */
const MAX_ATTRIBUTES = 1000;
/** What may stand before the first element: a declaration, comments. */
const MAX_PROLOGUE_BYTES = 1 << 16;

/**
 * Reads the elements below the root, one after the other.
 * @param root the name that the outermost element must have.
 * @throws FileError with file and line: not XML, another root, a document type, a record beyond all limits.
 */
export function* readXml(path: string, root: string): Generator<XmlElement, void, void> {
  const parser = new SaxesParser();
  const fail = (problem: string): never => {
    throw new FileError(`${path}:${parser.line}`, problem);
  };
  const open: OpenElement[] = [];
  const complete: XmlElement[] = [];
  let [elements, attributesSeen, recordStart] = [0, 0, 0];
  let isRooted = false;
  parser.on('error', (error) => fail(`is not XML: ${error.message.replace(/^\d+:\d+: /, '')}`));
  parser.on('doctype', () =>
    fail('has a document type (DOCTYPE); such files are refused, since one can unfold to anything'),
  );
  parser.on('opentag', ({ name, attributes }) => {
    if (open.length === 0 && name !== root) fail(`expected <${root}>, received <${name}>`);
    isRooted = true;
    if (++elements > MAX_ELEMENTS) fail(`expected at most ${MAX_ELEMENTS} elements in a record, received more`);
    attributesSeen = 0;
    open.push({ name, attributes: attributes as Record<string, string>, children: [], text: '', line: parser.line });
  });
  parser.on('attribute', () => {
    if (++attributesSeen > MAX_ATTRIBUTES)
      fail(`expected at most ${MAX_ATTRIBUTES} attributes of an element, received more`);
  });
  const addText = (text: string): void => {
    const current = open.at(-1);
    if (open.length > 1) current!.text += text;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => {
    const element = open.pop()!;
    element.text = element.text.trim();
    if (open.length > 1) open.at(-1)!.children.push(element);
    if (open.length !== 1) return;
    complete.push(element);
    elements = 0;
    recordStart = parser.position;
  });
  for (const text of textOf(path)) {
    parser.write(text);
    yield* complete.splice(0);
    if (!isRooted && parser.position > MAX_PROLOGUE_BYTES) fail(`expected <${root}> at its beginning`);
    if (parser.position - recordStart > MAX_RECORD_BYTES)
      fail(`expected at most ${MAX_RECORD_BYTES} characters in a record`);
  }
  parser.close();
  yield* complete;
}

/** A file's UTF-8 text in pieces. */
function* textOf(path: string): Generator<string> {
  const { descriptor } = openRegularFile(path);
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (let size = readSync(descriptor, chunk); size > 0; size = readSync(descriptor, chunk)) {
      yield decoded(path, () => decoder.decode(chunk.subarray(0, size), { stream: true }));
    }
    yield decoded(path, () => decoder.decode());
  } finally {
    closeSync(descriptor);
  }
}

function decoded(path: string, decode: () => string): string {
  try {
    return decode();
  } catch (error) {
    throw new FileError(path, 'is not UTF-8 text', error);
  }
}

/** The first child of a name. */
export const childOf = ({ children }: Pick<XmlElement, 'children'>, name: string): XmlElement | undefined =>
  children.find((child) => child.name === name);

/**
 * A number as an attribute or an element has it.
 * @param where file, record and field.
 */
export function parseNumber(text: string | undefined, where: string): number {
  const value = text === undefined || text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new FileError(where, `expected a number, received ${text === undefined ? 'nothing' : JSON.stringify(text)}`);
}

/** What XML 1.0 cannot hold, not even escaped. */
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
};

/** Text within an element or an attribute. @throws FileError for characters that XML cannot hold. */
export function escapeXml(text: string | number | boolean): string {
  const plain = String(text);
  if (FORBIDDEN.test(plain)) throw new FileError(JSON.stringify(plain), 'has characters that XML cannot hold');
  return plain.replace(/[&<>"\n\r\t]/g, (character) => ESCAPES[character]!);
}
