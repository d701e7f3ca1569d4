/** Where the published detection trainings lie. */
import { join } from 'node:path';
import type { RecipeBook } from '@pyramidal/config';

/** The published trainings: beside the compiled program in the package, at the root in the repository. */
export const RECIPES: RecipeBook = {
  task: 'detection',
  folders: [join(__dirname, 'configs'), join(__dirname, '../../../configs')],
};
