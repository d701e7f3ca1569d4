/** `npm run snippets [-- FOLDER...]`: compiles and runs the TypeScript of every README and guide. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commandProblems, offerOf } from './commands';
import { typeProblems } from './compile';
import { readDocument } from './document';
import { programOf } from './program';
import { copyStage, makeStage } from './stage';

const ROOT = join(__dirname, '../../..');
const WORK = join(ROOT, 'runs', 'snippets');
const AT_ONCE = 2;
const LIMIT_MS = 180_000;

interface Snippet {
  readonly document: string;
  readonly folder: string;
  readonly program: string;
}

async function check(below: readonly string[]): Promise<boolean> {
  rmSync(WORK, { recursive: true, force: true });
  const problems: string[] = [];
  const snippets: Snippet[] = [];
  const offer = offerOf(ROOT, projects());
  for (const path of documents(below)) {
    const { runElsewhere, blocks, commands } = readDocument(readFileSync(join(ROOT, path), 'utf8'));
    problems.push(...commandProblems(commands, offer).map((problem) => `${path}: ${problem}`));
    if (runElsewhere !== undefined) console.log(`- ${path}: run by ${runElsewhere}`);
    if (blocks.length === 0 || runElsewhere !== undefined) continue;
    const folder = join(WORK, path.replace(/\.md$/, '').replaceAll('/', '-'));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'snippet.ts'), programOf(blocks));
    snippets.push({ document: path, folder, program: join(folder, 'snippet.ts') });
  }
  problems.push(
    ...typeProblems(
      ROOT,
      snippets.map(({ program }) => program),
    ),
  );
  for (const problem of problems) console.log(`✘ ${problem}`);
  const stage = join(WORK, 'stage');
  await makeStage(stage);
  const waiting = [...snippets];
  const runNext = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      copyStage(stage, next.folder);
      const failure = await run(next);
      if (failure !== undefined) problems.push(failure);
      console.log(failure === undefined ? `✔ ${next.document}` : `✘ ${next.document}: ${failure}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runNext));
  if (problems.length === 0) rmSync(WORK, { recursive: true });
  return problems.length === 0;
}

/** @returns what went wrong, if anything did. */
function run({ folder, program }: Snippet): Promise<string | undefined> {
  const args = ['-C', '@pyramidal/source', '--import', 'tsx', program];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: folder, timeout: LIMIT_MS }, (error, _stdout, stderr) => {
      resolve(error === null ? undefined : `${stderr.trim().slice(-2000) || error.message}`);
    });
  });
}

/** The tracked documents, so that nothing in node_modules or in a run counts. */
function documents(below: readonly string[]): string[] {
  const files = execFileSync('git', ['ls-files', '-z', '--', '*.md'], { cwd: ROOT, encoding: 'utf8' }).split('\0');
  const isWanted = (path: string) => below.length === 0 || below.some((folder) => path.startsWith(folder));
  return files.filter((path) => path !== '' && !path.includes('.github/') && isWanted(path));
}

function projects(): string[] {
  const manifests = execFileSync('git', ['ls-files', '-z', '--', '*/package.json'], { cwd: ROOT, encoding: 'utf8' });
  return manifests
    .split('\0')
    .filter(Boolean)
    .map((path) => dirname(path).split('/').at(-1)!);
}

void check(process.argv.slice(2)).then((isClean) => (process.exitCode = isClean ? 0 : 1));
