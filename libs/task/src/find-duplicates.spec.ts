import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findDuplicates } from './find-duplicates';

it('finds the same content under other names, within a list and between lists', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'duplicates-'));
  const write = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const training = [write('a', 'one'), write('b', 'two'), write('c', 'three'), write('d', 'one')];
  const validation = [write('e', 'six'), write('f', 'two'), write('g', '')];
  const found = await findDuplicates([
    { name: 'training', files: training },
    { name: 'validation', files: validation },
  ]);
  const told = found.map(({ first, second }) => [first, second].map(({ list, file }) => `${list} ${file.at(-1)}`));
  expect(told).toEqual([
    ['training a', 'training d'],
    ['training b', 'validation f'],
  ]);
  rmSync(folder, { recursive: true });
});
