import { transformSync } from '@swc/core';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const readme = readFileSync(join(__dirname, '../README.md'), 'utf8');
const snippets = [...readme.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code as string);

describe('the snippets of the README', () => {
  it('are two', () => expect(snippets).toHaveLength(2));

  it.each(snippets.map((code, i) => [i + 1, code] as const))(
    'number %i runs and prints the official table',
    (_, code) => {
      const parser = { syntax: 'typescript' } as const;
      const script = transformSync(code, { jsc: { parser, target: 'es2022' }, module: { type: 'commonjs' } }).code;
      const args = ['-C', '@pyramidal/source', '--import', 'tsx', '-e', script];
      const out = execFileSync(process.execPath, args, { cwd: join(__dirname, '..'), encoding: 'utf8' });
      expect(out).toContain('Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 1.000');
    },
  );
});
