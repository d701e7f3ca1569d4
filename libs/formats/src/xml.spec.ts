/** XML that was written to harm, or is none. */
import { join } from 'node:path';
import { removeTemporaryFolders, temporaryFolder, writeFiles } from './testing/sets';
import { escapeXml, readXml } from './xml';

afterEach(removeTemporaryFolders);

function read(text: string | Uint8Array, root = 'a') {
  const folder = temporaryFolder();
  writeFiles(folder, { 'x.xml': text });
  return [...readXml(join(folder, 'x.xml'), root)];
}

describe('readXml', () => {
  it('gives the elements below the root, with attributes, text and lines', () => {
    const [b, c] = read('<?xml version="1.0"?>\n<a>\n<b x="1 &lt; 2"> t &amp; <d>u</d></b><c/>\n</a>');
    expect(b).toMatchObject({
      name: 'b',
      attributes: { x: '1 < 2' },
      text: 't &',
      line: 3,
      children: [{ name: 'd', text: 'u' }],
    });
    expect(c).toMatchObject({ name: 'c', children: [], text: '' });
  });

  it('reads back what was escaped', () => {
    const text = 'a & b <c> "d" \'e\' \n\t ü 猫 🐈';
    expect(read(`<a><b x="${escapeXml(text)}"/></a>`)[0]!.attributes['x']).toBe(text);
    expect(() => escapeXml('a\u0001')).toThrow('has characters that XML cannot hold');
  });

  const bomb = Array.from({ length: 9 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`).join('');
  it.each([
    [
      'an entity bomb',
      `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "ha">${bomb}]><a><b>&e9;</b></a>`,
      /x\.xml:1: has a document type/,
    ],
    ['an external entity', '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a><b>&e;</b></a>', /document type/],
    ['a document type alone', '<!DOCTYPE a SYSTEM "http://example.com/a.dtd"><a/>', /document type/],
    ['an unknown entity', '<a><b>&e;</b></a>', /x\.xml:1: is not XML: undefined entity/],
    ['an end too early', '<a>\n<b>', /is not XML: unclosed tag/],
    ['another root', '<z/>', /expected <a>, received <z>/],
    ['no XML', 'hello', /is not XML/],
    ['nothing', '', /is not XML: document must contain a root element/],
    ['another encoding', Buffer.from('<a><b>\xfc</b></a>', 'latin1'), /is not UTF-8 text/],
    ['elements without end', `<a><b>${'<c/>'.repeat(200_001)}</b></a>`, /at most 200000 elements in a record/],
    ['nesting without end', `<a>${'<b>'.repeat(200_001)}`, /at most 200000 elements in a record/],
    ['a comment without end', `<!--${' '.repeat(200_000)}--><a/>`, /expected <a> at its beginning/],
  ])('refuses %s', (_, text, message) => {
    expect(() => read(text)).toThrow(message);
  });

  it('gives each record before the next one is read', () => {
    const folder = temporaryFolder();
    writeFiles(folder, { 'x.xml': `<a>${'<b>1</b>'.repeat(100_000)}</c>` });
    const records = readXml(join(folder, 'x.xml'), 'a');
    let count = 0;
    const readAll = (): void => {
      for (const { text } of records) count += Number(text);
    };
    expect(readAll).toThrow(/unexpected close tag/);
    expect(count).toBeGreaterThan(90_000);
  });
});
