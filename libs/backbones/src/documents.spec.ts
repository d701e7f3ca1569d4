/** The documents on backbones show code that runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (path: string): string => readFileSync(join(__dirname, '../../..', path), 'utf8');

/** The example runs in CI, so code that is its own does too. */
it('docs/add-a-backbone.md shows the code of the example', () => {
  const document = read('docs/add-a-backbone.md');
  const example = read('examples/custom-backbone/main.ts');
  const snippets = [...document.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!);
  expect(snippets).toHaveLength(2);
  for (const snippet of snippets) expect(example).toContain(snippet);
});

it('the example stays under 60 lines', () => {
  const files = ['package.json', 'config.yaml', 'main.ts'].map((file) => read(`examples/custom-backbone/${file}`));
  const lines = files.flatMap((text) => text.split('\n')).filter((line) => !/^\s*(\/\/|#|\/\*\*|$)/.test(line));
  expect(lines.length).toBeLessThan(60);
});
