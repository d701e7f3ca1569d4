import { commandProblems } from './commands';
import { readDocument } from './document';
import { programOf } from './program';

const DOCUMENT = `# A library

<!-- setup
const limit = 3;
-->

\`\`\`ts
import { a, b } from 'somewhere';

export const x = a(limit);
\`\`\`

<!-- compiled only: needs a browser -->

\`\`\`ts
import { b, c } from 'somewhere';
c(b, x);
\`\`\`

\`\`\`sh
npm run one -- --fast # quickly
npx nx test two \\
  --all
\`\`\`
`;

describe('readDocument', () => {
  const { blocks, commands } = readDocument(DOCUMENT);

  it('finds code, what readers do not see, and why a block does not run', () => {
    expect(blocks.map(({ line, compiledOnly }) => [line, compiledOnly])).toEqual([
      [4, undefined],
      [8, undefined],
      [16, 'needs a browser'],
    ]);
    expect(blocks[0]!.code).toBe('const limit = 3;');
  });

  it('finds commands, without comments and with what follows a backslash', () => {
    expect(commands).toEqual([
      { text: 'npm run one -- --fast', line: 21 },
      { text: 'npx nx test two --all', line: 22 },
    ]);
  });

  it('knows a document whose code runs elsewhere', () => {
    expect(readDocument(DOCUMENT).runElsewhere).toBeUndefined();
    expect(readDocument('# A\n\n<!-- run by a.spec.ts -->\n').runElsewhere).toBe('a.spec.ts');
  });

  it('shows what stands in blocks of other languages', () => {
    const shown = '```md\n<!-- setup\nx();\n-->\n```\n\n```\nnpm run nothing\n```\n';
    expect(readDocument(shown)).toMatchObject({ blocks: [], commands: [] });
  });

  it('names a block that does not end', () => {
    expect(() => readDocument('a\n\n```ts\nx();\n')).toThrow('line 3: the block that begins here does not end');
  });
});

describe('programOf', () => {
  it('is one program in reading order, which imports each name once', () => {
    const lines = programOf(readDocument(DOCUMENT).blocks).split('\n');
    expect(lines.filter((line) => line.startsWith('import'))).toEqual(["import { a, b, c } from 'somewhere';"]);
    expect(lines.indexOf('const limit = 3;')).toBeLessThan(lines.indexOf('const x = a(limit);'));
    expect(lines[lines.indexOf('c(b, x);') - 1]).toBe('if (NEVER) {');
  });
});

describe('commandProblems', () => {
  const offer = {
    scripts: new Set(['one']),
    projects: new Set(['two']),
    exists: (path: string) => path === 'configs/a.yaml',
  };
  const problemsOf = (text: string) => commandProblems([{ text, line: 7 }], offer);

  it('finds nothing where everything is there', () => {
    expect(problemsOf('npm run one -- configs/a.yaml && npx nx test two')).toEqual([]);
  });

  it('names scripts, projects and configurations that are not there', () => {
    expect(problemsOf('npm run --silent onne')).toEqual(['line 7: npm run onne: there is no such script']);
    expect(problemsOf('npx nx test three')).toEqual(['line 7: nx: there is no project three']);
    expect(problemsOf('npm run one -- configs/b.yaml')).toEqual(['line 7: configs/b.yaml is not there']);
  });
});
