/**
 * Checks every package as it would be published: `npm run pack:check [-- --node PATH]...`, after `npm run build`. Nothing
 * is fetched. `--node` names further versions of Node to load the packages with.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { backboneSizes, bundleProblems, sizeProblems } from './bundles';
import { contentProblems } from './contents';
import { dependencyProblems } from './dependencies';
import { formProblems } from './form';
import { loadingProblems } from './loading';
import { packAll, type Tarball } from './tarballs';
import { entryProblems, typeProblems } from './types';
import { publishedPackages } from './workspace';

async function check(nodes: readonly string[]): Promise<boolean> {
  const tarballs = await packAll(publishedPackages());
  const counts: number[] = [];
  for (const tarball of tarballs) {
    const problems = await problemsOf(tarball, tarballs);
    const { manifest, files, bytes } = tarball;
    report(`${manifest.name.padEnd(28)} ${files.size} files, ${(bytes.length / 1e3).toFixed(1)} kB`, problems);
    counts.push(problems.length);
  }
  for (const node of nodes) {
    const problems = loadingProblems(tarballs, node);
    report(`import and require in Node ${versionOf(node)}`, problems);
    counts.push(problems.length);
  }
  const sizes = await backboneSizes();
  for (const size of sizes) {
    const problems = sizeProblems([size]);
    report(`browser bundle, ${size.what}: ${(size.bytes / 1e3).toFixed(1)} kB`, problems);
    counts.push(problems.length);
  }
  return counts.every((count) => count === 0);
}

async function problemsOf(tarball: Tarball, all: readonly Tarball[]): Promise<string[]> {
  return [
    ...formProblems(tarball, all),
    ...dependencyProblems(tarball),
    ...contentProblems(tarball),
    ...(await typeProblems(tarball)),
    ...(await entryProblems(tarball)),
    ...(await bundleProblems(tarball)),
  ];
}

function report(line: string, problems: readonly string[]): void {
  console.log(`${problems.length === 0 ? '✔' : '✘'} ${line}`);
  for (const problem of problems) console.log(`    ${problem}`);
}

const versionOf = (node: string): string => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();

const { values } = parseArgs({ options: { node: { type: 'string', multiple: true, default: [] } } });
void check([process.execPath, ...values.node]).then((isClean) => (process.exitCode = isClean ? 0 : 1));
