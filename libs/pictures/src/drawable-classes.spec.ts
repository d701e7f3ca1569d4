import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const FIXTURES = join(__dirname, '..', 'fixtures');

describe('drawableClasses', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fonts-'));
    writeFileSync(join(folder, 'fonts.conf'), `<fontconfig><cachedir>${folder}</cachedir></fontconfig>`);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** In a process of its own, on a machine without fonts. */
  const namesWith = (
    fonts: readonly string[],
    names: readonly string[],
  ): { readonly names: string[]; readonly said: string[] } => {
    const script = `
      const { drawableClasses } = require(${JSON.stringify(join(__dirname, 'drawable-classes.ts'))});
      const said = [];
      const classes = ${JSON.stringify(names)}.map((name) => ({ name }));
      drawableClasses(classes, (line) => said.push(line)).then((drawn) => {
        console.log(JSON.stringify({ names: drawn.map(({ name }) => name), said }));
      });`;
    const fontFiles = fonts.map((file) => join(FIXTURES, file)).join(delimiter);
    const env = { ...process.env, FONTCONFIG_FILE: join(folder, 'fonts.conf'), PYRAMIDAL_FONT: fontFiles };
    const flags = ['-C', '@pyramidal/source', '--require', 'tsx/cjs', '-e', script];
    return JSON.parse(execFileSync(process.execPath, flags, { env, encoding: 'utf8' })) as ReturnType<typeof namesWith>;
  };

  it('numbers the classes that no font can write, and says so in one line', () => {
    const { names, said } = namesWith([], ['cat', '人', '猫 cat', 'قطة', '🐱', 'café', '자동차']);
    expect(names).toEqual(['cat', 'class 1', 'class 2', 'class 3', 'class 4', 'café', 'class 6']);
    expect(said).toEqual([
      "no font for Chinese or Japanese (class '人' and 1 more) and Arabic (class 'قطة') and emoji (class '🐱') and Korean (class '자동차'): " +
        'pictures name the numbers of these classes; install fonts-noto-cjk and fonts-noto-core and fonts-noto-color-emoji, or name a font file in PYRAMIDAL_FONT',
    ]);
  });

  it('leaves names alone for which there are fonts', () => {
    const fonts = ['noto-sans-sc-subset.ttf', 'noto-sans-arabic-subset.ttf'];
    expect(namesWith(fonts, ['cat', '人', '狗', 'قطة'])).toEqual({ names: ['cat', '人', '狗', 'قطة'], said: [] });
  });
});
