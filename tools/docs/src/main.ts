/** `npm run docs:configuration` writes docs/configuration.md anew. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationPage } from './configuration';

const folder = join(__dirname, '../../../docs');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'configuration.md'), configurationPage());
