/** The configuration files of a folder, for specs that go through all of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** YAML files of a folder that no other one there extends: the configurations of whole runs. */
export function completeConfigs(folder: string): string[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  const bases = new Set(files.map((name) => /^extends: (.+)$/m.exec(readFileSync(join(folder, name), 'utf8'))?.[1]));
  return files.filter((name) => !bases.has(name));
}
