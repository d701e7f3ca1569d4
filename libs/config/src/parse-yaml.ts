/**
 * YAML 1.2 into a tree that knows its lines. Configurations need little of YAML: one document of mappings, lists and plain
 * values. Anchors, tags, directives and deep nesting are refused, so that time and memory grow with the length alone.
 */
import { Composer, isAlias, isMap, isScalar, isSeq, LineCounter, Parser, type CST, type Node } from 'yaml';
import type { Content, Located, Origin } from './located';
import { clip } from './clip';

/** Levels of mappings and lists within each other; recipes have six. */
export const MAX_DEPTH = 32;

export interface YamlProblem {
  readonly line: number;
  readonly message: string;
}

export interface ParsedYaml {
  /** `null` for a text without a value. */
  readonly root: Located;
  /** In the order of the lines; where there is one, `root` is incomplete. */
  readonly problems: readonly YamlProblem[];
}

/** @param originAt where a value of a line, from 1, comes from. */
export function parseYaml(text: string, originAt: (line: number) => Origin): ParsedYaml {
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  const tree = new TreeBuilder(text, (offset) => originAt(lineAt(offset)));
  const refused = tokens.flatMap(refuse);
  if (refused.length === 0) tree.read(tokens);
  const problems = [...refused, ...tree.problems].sort((a, b) => a.offset - b.offset);
  return {
    root: tree.root,
    problems: problems.map(({ offset, message }) => ({ line: lineAt(offset), message })),
  };
}

interface Found {
  readonly offset: number;
  readonly message: string;
}

/** What is wrong with a token before anything is composed of it. Walks with a stack of its own: depth is what it looks for. */
function refuse(token: CST.Token): Found[] {
  if (token.type === 'directive') {
    return [
      { offset: token.offset, message: 'directives are not used in configurations, found a line that starts with %' },
    ];
  }
  const waiting: { token: CST.Token; depth: number }[] = [{ token, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { token: here, depth } = next;
    if (depth > MAX_DEPTH) {
      const offset = 'offset' in here ? here.offset : 0;
      return [{ offset, message: `nested too deeply, expected at most ${MAX_DEPTH} levels` }];
    }
    if (here.type === 'document' && here.value !== undefined) waiting.push({ token: here.value, depth });
    if (!('items' in here)) continue;
    for (const { key, value } of here.items) {
      if (key) waiting.push({ token: key, depth: depth + 1 });
      if (value) waiting.push({ token: value, depth: depth + 1 });
    }
  }
  return [];
}

/** Makes the tree and notes what a configuration may not hold. */
class TreeBuilder {
  root: Located;
  readonly problems: Found[] = [];

  constructor(
    private readonly text: string,
    private readonly originAt: (offset: number) => Origin,
  ) {
    this.root = { origin: originAt(0), content: null };
  }

  read(tokens: readonly CST.Token[]): void {
    // The library looks for duplicate keys in quadratic time; `content` does it in linear time.
    const composer = new Composer({ uniqueKeys: false, prettyErrors: false, version: '1.2' });
    const [document, ...others] = composer.compose(tokens, true, this.text.length);
    if (document === undefined) return;
    // What stands behind an error is read askew: it would be told many times, and of keys that are none.
    const [first] = document.errors;
    for (const { code, message, pos } of first ? [first] : document.warnings) {
      this.problem(pos[0], explain(code, message));
    }
    if (first) return;
    const second = others[0]?.range[0];
    if (second !== undefined) this.problem(second, 'a second document starts here (`---`), expected one');
    this.root = { ...this.root, content: this.content(document.contents) };
  }

  private content(node: Node | null): Content {
    if (node === null) return null;
    if (isAlias(node)) {
      this.problem(startOf(node), noAnchors(`*${node.source}`));
      return null;
    }
    if (node.anchor) this.problem(startOf(node), noAnchors(`&${node.anchor}`));
    if (isMap<Node, Node | null>(node)) return this.mapping(node.items);
    if (isSeq<Node>(node)) return node.items.map((item) => this.located(item, startOf(item)));
    return isScalar<Content>(node) ? node.value : null;
  }

  private mapping(items: readonly { key: Node; value: Node | null }[]): Map<string, Located> {
    const entries = new Map<string, Located>();
    for (const { key, value } of items) {
      const offset = startOf(key);
      if (!isScalar(key)) this.problem(offset, 'expected plain text as a key');
      else if (key.anchor) this.problem(offset, noAnchors(`&${key.anchor}`));
      const name = isScalar(key) ? String(key.value) : '';
      if (entries.has(name)) this.problem(offset, `the key '${clip(name)}' stands here a second time`);
      entries.set(name, this.located(value, offset));
    }
    return entries;
  }

  private located(node: Node | null, offset: number): Located {
    return { origin: this.originAt(offset), content: this.content(node) };
  }

  private problem(offset: number, message: string): void {
    this.problems.push({ offset, message });
  }
}

function noAnchors(found: string): string {
  return `anchors and aliases are not used in configurations, found ${clip(found)}; write the value out or use \`extends\``;
}

function explain(code: string, message: string): string {
  if (code === 'TAB_AS_INDENT') return 'indented with a tab, expected spaces';
  return `not valid YAML: ${clip(`${message.charAt(0).toLowerCase()}${message.slice(1).split('\n')[0]}`, 120)}`;
}

const startOf = (node: Node | null): number => node?.range?.[0] ?? 0;
