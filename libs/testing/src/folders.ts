/** Where specs find real data and reference numbers, and how they are skipped without. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const WORKSPACE = resolve(__dirname, '../../..');

/** The folder of real images and annotations, or undefined where this machine has none. */
export const dataFolder = (): string | undefined =>
  present(process.env['PYRAMIDAL_DATA'] ?? join(WORKSPACE, '../shared/data'));

/** The folder of reference numbers too large to keep here, or undefined where this machine has none. */
export const goldenFolder = (): string | undefined =>
  present(process.env['PYRAMIDAL_GOLDEN'] ?? join(WORKSPACE, '../shared/golden'));

/**
 * A `describe` that needs a folder: with it, `body` runs; without it, the block is reported as skipped and says why.
 */
export function describeWith(folder: string | undefined, name: string, body: (folder: string) => void): void {
  if (folder !== undefined) describe(name, () => body(folder));
  else
    describe.skip(`${name} (skipped: PYRAMIDAL_DATA and PYRAMIDAL_GOLDEN name no folder)`, () =>
      it('needs data', () => undefined));
}

function present(folder: string): string | undefined {
  return existsSync(folder) ? folder : undefined;
}
