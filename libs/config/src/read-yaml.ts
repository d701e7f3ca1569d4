import { readFileSync } from 'node:fs';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml';
import type { Content, Located, Origin } from './located';
import { ConfigError, UsageError, type Problem } from './usage-error';

/**
 * Reads one YAML file whose root is a mapping.
 * @throws UsageError if the file cannot be read; ConfigError with every problem of syntax in it.
 */
export function readYaml(file: string): Located {
  const root = parseYaml(readText(file), file);
  if (root.content === null) throw new ConfigError([{ where: file, path: '', message: 'the file is empty' }]);
  if (!(root.content instanceof Map)) {
    throw new ConfigError([{ where: file, path: '', message: 'expected `key: value` lines at the top level' }]);
  }
  return root;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new UsageError(`${file}: no such file`);
    if (code === 'EISDIR') throw new UsageError(`${file}: expected a file, found a folder`);
    throw new UsageError(`${file}: cannot be read (${code ?? String(error)})`);
  }
}

function parseYaml(text: string, file: string): Located {
  const lines = new LineCounter();
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
  const problems = findProblems(document, text).map(({ offset, message }): Problem => ({
    where: `${file}:${lineAt(offset)}`,
    path: '',
    message,
  }));
  if (problems.length > 0) throw new ConfigError(problems);
  const start: Origin = { file, line: 1 };
  return { origin: start, content: toContent(document.contents, file, lineAt) };
}

/**
 * The value of a `--set` override, written as YAML.
 * @returns undefined if the text is not one YAML value.
 */
export function parseValue(text: string, origin: Origin): Located | undefined {
  const document = parseDocument(text, { prettyErrors: false, version: '1.2' });
  if (findProblems(document, text).length > 0) return undefined;
  const withOrigin = ({ content }: Located): Located => {
    if (content instanceof Map) {
      return { origin, content: new Map([...content].map(([key, node]) => [key, withOrigin(node)])) };
    }
    return { origin, content: Array.isArray(content) ? content.map(withOrigin) : content };
  };
  return withOrigin({ origin, content: toContent(document.contents, '', () => 1) });
}

interface SyntaxProblem {
  readonly offset: number;
  readonly message: string;
}

function findProblems(document: Document.Parsed, text: string): SyntaxProblem[] {
  const problems = [...document.errors, ...document.warnings].map(({ code, message, pos: [offset] }) => ({
    offset,
    message: explain(code, message, text, offset),
  }));
  visit(document, {
    Alias: (_, node) => void problems.push({ offset: startOf(node), message: noAnchors(`*${node.source}`) }),
    Node: (_, node) => {
      if (!isAlias(node) && node.anchor)
        problems.push({ offset: startOf(node), message: noAnchors(`&${node.anchor}`) });
    },
  });
  return problems.sort((a, b) => a.offset - b.offset);
}

function noAnchors(found: string): string {
  return `anchors and aliases are not used in configurations, found ${found}; write the value out or use \`extends\``;
}

function explain(code: string, message: string, text: string, offset: number): string {
  if (code === 'DUPLICATE_KEY')
    return `the key '${/^[^:\s]+/.exec(text.slice(offset))?.[0]}' stands here a second time`;
  if (code === 'TAB_AS_INDENT') return 'indented with a tab, expected spaces';
  if (code === 'MULTIPLE_DOCS') return 'a second document starts here (`---`), expected one';
  return `not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1).split('\n')[0]}`;
}

function toContent(node: Node | null, file: string, lineAt: (offset: number) => number): Content {
  const located = (child: Node | null, offset: number): Located => ({
    origin: { file, line: lineAt(offset) },
    content: toContent(child, file, lineAt),
  });
  if (isMap<Node, Node | null>(node)) {
    return new Map(node.items.map(({ key, value }) => [keyText(key), located(value, startOf(key))]));
  }
  if (isSeq<Node>(node)) return node.items.map((item) => located(item, startOf(item)));
  return isScalar<Content>(node) ? node.value : null;
}

const keyText = (key: Node): string => (isScalar(key) ? String(key.value) : String(key));

const startOf = (node: Node): number => node.range?.[0] ?? 0;
