/** The code in a Markdown document. */

/** TypeScript of a document, in reading order. */
export interface Block {
  readonly code: string;
  /** The line in the document where the code begins, counted from 1. */
  readonly line: number;
  /** Why it is compiled and not run, where that is so. */
  readonly compiledOnly: string | undefined;
}

/** A line of a shell block that is a command. */
export interface ShellCommand {
  readonly text: string;
  readonly line: number;
}

export interface Document {
  /** Where its code is run, if not here. */
  readonly runElsewhere: string | undefined;
  readonly blocks: readonly Block[];
  readonly commands: readonly ShellCommand[];
}

const OPENING = /^(?:```(ts|sh)|<!-- (setup))$/;
/** Output, YAML, Markdown: what stands inside is shown, not run. */
const OTHER_FENCE = /^```(?!(?:ts|sh)$)/;
const RUN_ELSEWHERE = /^<!-- run by (.+) -->$/m;
const COMPILED_ONLY = /^<!-- compiled only: (.+) -->$/;

/** @throws Error naming the line of a block that does not end. */
export function readDocument(markdown: string): Document {
  const lines = markdown.split('\n');
  const blocks: Block[] = [];
  const commands: ShellCommand[] = [];
  let compiledOnly: string | undefined;
  for (let i = 0; i < lines.length; i++) {
    if (OTHER_FENCE.test(lines[i]!)) {
      i = endOf(lines, i, '```');
      continue;
    }
    const [, fence, setup] = OPENING.exec(lines[i]!) ?? [];
    if (fence === undefined && setup === undefined) {
      if (lines[i] !== '') compiledOnly = COMPILED_ONLY.exec(lines[i]!)?.[1];
      continue;
    }
    const end = endOf(lines, i, setup === undefined ? '```' : '-->');
    const inside = lines.slice(i + 1, end);
    if (fence === 'sh') commands.push(...commandsOf(inside, i + 2));
    else blocks.push({ code: inside.join('\n'), line: i + 2, compiledOnly });
    compiledOnly = undefined;
    i = end;
  }
  return { runElsewhere: RUN_ELSEWHERE.exec(markdown)?.[1], blocks, commands };
}

function endOf(lines: readonly string[], start: number, mark: string): number {
  const end = lines.indexOf(mark, start + 1);
  if (end < 0) throw new Error(`line ${start + 1}: the block that begins here does not end`);
  return end;
}

/** Without comments and what follows a backslash belongs to the line before. */
function commandsOf(lines: readonly string[], first: number): ShellCommand[] {
  const commands: { text: string; line: number }[] = [];
  let continues = false;
  lines.forEach((line, i) => {
    const text = line.replace(/(^|\s)#.*$/, '').trim();
    const last = commands.at(-1);
    if (continues && last) last.text += ` ${text.replace(/\\$/, '').trim()}`;
    else if (text !== '') commands.push({ text: text.replace(/\\$/, '').trim(), line: first + i });
    continues = text.endsWith('\\');
  });
  return commands;
}
