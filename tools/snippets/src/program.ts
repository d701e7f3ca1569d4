/** One document's TypeScript as a program. */
import type { Block } from './document';

/**
 * Imports first, then everything else inside a function, since the packages are CommonJS, where no module may wait.
 * Blocks that are only compiled stand in a function that nobody calls.
 */
export function programOf(blocks: readonly Block[]): string {
  const imports = new Set<string>();
  const bodies = blocks.map(({ code, compiledOnly }) => {
    const body = code.replace(IMPORT, (statement) => {
      imports.add(statement.trim());
      return '';
    });
    const local = body.replace(/^export (?=(async )?(function|const|class|interface|type)\b)/gm, '').trim();
    return compiledOnly === undefined ? local : `void (async () => {\nif (NEVER) {\n${local}\n}\n});`;
  });
  return [
    ...mergeImports([...imports]),
    'const NEVER: boolean = false;',
    'async function main(): Promise<void> {',
    'void NEVER;',
    ...bodies,
    '}',
    'main().catch((error) => { console.error(error); process.exit(1); });',
    '',
  ].join('\n');
}

const IMPORT = /^import (?:type )?(?:[^'";]+ from )?'[^']+';[^\n]*$/gm;

const NAMED = /^import \{([^}]*)\} from '([^']+)';/;

/** Blocks may import the same name each, a program may not. */
function mergeImports(statements: readonly string[]): string[] {
  const names = new Map<string, Set<string>>();
  const others: string[] = [];
  for (const statement of statements) {
    const [, list, from] = NAMED.exec(statement.replace(/\s+/g, ' ')) ?? [];
    if (list === undefined || from === undefined) {
      others.push(statement);
      continue;
    }
    const known = names.get(from) ?? new Set<string>();
    names.set(from, known);
    for (const name of list.split(',')) if (name.trim() !== '') known.add(name.trim());
  }
  const named = [...names].map(([from, list]) => `import { ${[...list].join(', ')} } from '${from}';`);
  return [...new Set(others), ...named];
}
