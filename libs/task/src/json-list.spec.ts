import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JsonList } from './json-list';

describe('JsonList', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'json-list-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  const read = (): unknown => JSON.parse(readFileSync(join(folder, 'list.json'), 'utf8'));

  it.each([[[]], [[{ a: 1 }]], [[{ name: 'ü\n' }, { b: [2, 3] }, { c: null }]]])('writes %j', (records) => {
    const list = new JsonList(join(folder, 'list.json'));
    for (const record of records) list.add(record);
    list.complete();
    list.discard();
    expect(read()).toEqual(records);
    expect(readdirSync(folder)).toEqual(['list.json']);
  });

  it('leaves an older list until it is complete, and when it is given up', () => {
    writeFileSync(join(folder, 'list.json'), '["old"]');
    const list = new JsonList(join(folder, 'list.json'));
    list.add({ a: 1 }, { b: 2 });
    expect(read()).toEqual(['old']);
    list.discard();
    expect(read()).toEqual(['old']);
    expect(readdirSync(folder)).toEqual(['list.json']);
  });
});
