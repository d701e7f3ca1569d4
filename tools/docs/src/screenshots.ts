/**
 * `npm run docs:screenshots -- --data SET --run RUN --evaluation FOLDER --predictions FOLDER [--check]` makes the pictures in docs/pictures anew;
 * with --check it makes them, keeps none, and fails where the documentation shows what is no longer so.
 */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runProgram } from '@pyramidal/program';
import { contentProblems, type PageContents } from './page-contents';
import { type Screenshots, takeScreenshots } from './take-screenshots';

const DOCS = join(__dirname, '../../../docs');
const FOLDER = join(DOCS, 'pictures');
/** What the pages in the pictures show, in words. */
const CONTENTS = join(FOLDER, 'contents.json');
/** The page that shows the pictures. */
const GUIDE = join(DOCS, 'look-at-a-run.md');
/** Bytes of a picture that everyone clones. */
const LARGEST = 150_000;

function write({ pictures, contents }: Screenshots): void {
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, bytes] of pictures) writeFileSync(join(FOLDER, `${name}.webp`), bytes);
  writeFileSync(CONTENTS, `${JSON.stringify(contents, undefined, 2)}\n`);
}

/** What the documentation promises and the programs do not keep. */
function check({ pictures, contents }: Screenshots): string[] {
  const promised = JSON.parse(readFileSync(CONTENTS, 'utf8')) as Record<string, PageContents>;
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.webp'));
  const guide = readFileSync(GUIDE, 'utf8');
  return [
    ...Object.entries(contents).flatMap(([name, shown]) => contentProblems(name, promised[name]!, shown)),
    ...[...pictures.keys()].filter((name) => !files.includes(`${name}.webp`)).map((name) => `${name}.webp is missing`),
    ...files
      .filter((file) => !guide.includes(`](pictures/${file})`))
      .map((file) => `${file}: ${GUIDE} does not show it`),
    ...files
      .filter((file) => statSync(join(FOLDER, file)).size > LARGEST)
      .map((file) => `${file}: expected at most ${LARGEST} bytes, received ${statSync(join(FOLDER, file)).size}`),
  ];
}

async function main(args: readonly string[]): Promise<number> {
  const folder = { type: 'string' } as const;
  const options = {
    data: folder,
    run: folder,
    evaluation: folder,
    predictions: folder,
    check: { type: 'boolean' },
  } as const;
  const { data, run, evaluation, predictions, check: isCheck } = parseArgs({ args: [...args], options }).values;
  if (data === undefined || run === undefined || evaluation === undefined || predictions === undefined) {
    console.error('screenshots: expected --data, --run, --evaluation and --predictions, a folder each');
    return 2;
  }
  const screenshots = await takeScreenshots({ data, run, evaluation, predictions });
  if (!isCheck) {
    write(screenshots);
    return 0;
  }
  const problems = check(screenshots);
  for (const problem of problems) console.error(`screenshots: ${problem}`);
  if (problems.length > 0) console.error('screenshots: make them anew by npm run docs:screenshots, after npm run demo');
  return problems.length > 0 ? 1 : 0;
}

runProgram('screenshots', main);
