/**
 * Copies the recipes that a task's program names into its package, `tsx copy-recipes.ts FOLDER`: the task's folder of `configs` and the
 * table of published trainings, to `dist/configs`.
 */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

function copyRecipes(folder: string): void {
  const source = join(__dirname, '../../../configs');
  const target = join(folder, 'dist/configs');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  for (const name of ['published.yaml', basename(folder)]) {
    cpSync(join(source, name), join(target, name), { recursive: true });
  }
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: copy-recipes FOLDER');
copyRecipes(folder);
