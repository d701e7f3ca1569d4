/** Writes the names of the backbones into the schemas of the generators, from which Nx offers them: `npm run schemas`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VARIANTS } from '@pyramidal/backbones';
import { format } from 'prettier';
import { ROOT } from './workspace';

async function main(): Promise<void> {
  for (const generator of ['app', 'lib']) {
    const file = join(ROOT, 'tools/nx/src', generator, 'schema.json');
    const schema = JSON.parse(readFileSync(file, 'utf8')) as { properties: { backbone: { enum: string[] } } };
    schema.properties.backbone.enum = Object.keys(VARIANTS);
    writeFileSync(file, await format(JSON.stringify(schema, null, 2), { parser: 'json', printWidth: 120 }));
  }
}

void main();
