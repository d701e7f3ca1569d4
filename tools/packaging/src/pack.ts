/** `npm run pack`: every published package as a tarball in dist/packages, for workspaces that no registry serves. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeTarballs } from './tarballs';
import { publishedPackages, ROOT } from './workspace';

const folder = join(ROOT, 'dist', 'packages');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const tarballs = writeTarballs(publishedPackages(), folder);
console.log(`${tarballs.size} packages in dist/packages; in another project: npm install ${folder}/*.tgz`);
