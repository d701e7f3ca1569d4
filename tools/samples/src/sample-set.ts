/** Sample sets on disk: each is rendered once, whole or not at all. */
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

const MANIFEST = 'sample-set.json';

export type Parameters = Readonly<Record<string, string | number>>;

/**
 * Makes a sample set unless the folder already holds one with the same parameters. It is rendered beside the folder and moved into place
 * when complete, so an interrupted run leaves nothing half made.
 * @returns whether it was rendered now.
 * @throws if the folder holds something that is not a sample set.
 */
export async function ensureSampleSet(
  out: string,
  parameters: Parameters,
  render: (folder: string) => Promise<void>,
): Promise<boolean> {
  const folder = resolve(out);
  const manifest = JSON.stringify(parameters, null, 2) + '\n';
  const found = await readManifest(folder);
  if (found === manifest) return false;
  const unfinished = join(dirname(folder), `.${process.pid}.${Date.now()}.unfinished`);
  await mkdir(unfinished, { recursive: true });
  try {
    await render(unfinished);
    await writeFile(join(unfinished, MANIFEST), manifest);
    if (found !== undefined) await rm(folder, { recursive: true });
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  return true;
}

/** The manifest of the set in a folder; undefined if the folder does not exist or is empty. */
async function readManifest(folder: string): Promise<string | undefined> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw new Error(`${folder}: cannot be read: ${error.message}`, { cause: error });
  });
  if (entries.includes(MANIFEST)) return readFile(join(folder, MANIFEST), 'utf8');
  if (entries.length === 0) return undefined;
  throw new Error(`${folder}: holds files that are not a sample set; give another folder`);
}
