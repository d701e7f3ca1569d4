/** Compiles rows.wat into src/resize/rows-wasm.ts: `npx tsx libs/images/wasm/build.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import loadWabt from 'wabt';

async function main(): Promise<void> {
  const wabt = await loadWabt();
  const parsed = wabt.parseWat('rows.wat', readFileSync(join(__dirname, 'rows.wat'), 'utf8'));
  const { buffer } = parsed.toBinary({});
  const lines = Buffer.from(buffer)
    .toString('base64')
    .match(/.{1,112}/g)!;
  const literal = lines.map((line) => `  '${line}'`).join(' +\n');
  const header = '/** wasm/rows.wat, compiled by wasm/build.ts. */\n';
  writeFileSync(join(__dirname, '../src/resize/rows-wasm.ts'), `${header}export const ROWS_WASM =\n${literal};\n`);
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
