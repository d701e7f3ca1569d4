// Imports and requires every entry named on the command line: both have to give the same things.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
for (const name of process.argv.slice(2)) {
  const [imported, required] = [await import(name), require(name)];
  const names = Object.keys(required);
  const differing = names.filter((key) => imported[key] !== required[key]);
  if (names.length === 0) console.log(`${name}: exports nothing`);
  if (differing.length > 0) console.log(`${name}: import and require differ in ${differing.join(', ')}`);
}
process.exit(); // an engine's threads may be waiting
