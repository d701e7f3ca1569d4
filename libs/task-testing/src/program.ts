/** A task's program on a toy set, run in this process. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runApp, type TaskApp } from '@pyramidal/task';

export interface Toy {
  readonly folder: string;
  /** Path of the configuration. */
  readonly config: string;
}

/**
 * Writes a set and a configuration into a new folder.
 * @param configuration in which `DATA` stands for the folder of the set.
 */
export async function writeToy(configuration: string, writeSet: (root: string) => Promise<void>): Promise<Toy> {
  const folder = mkdtempSync(join(tmpdir(), 'toy-'));
  const config = join(folder, 'toy.yaml');
  writeFileSync(config, configuration.replace('DATA', join(folder, 'data')));
  await writeSet(join(folder, 'data'));
  return { folder, config };
}

/** Runs a command line; what the program says on standard error, its progress aside, is the message. */
export type Runner = (line: string, ...set: readonly string[]) => Promise<{ code: number; message: string }>;

export function runnerOf(app: TaskApp): Runner {
  return async (line, ...set) => {
    const argv = [...line.split(' '), ...set.flatMap((override) => ['--set', override])];
    let message = '';
    const stderr = { write: (text: string): void => void (message += text) };
    const code = await runApp(app, { argv, stderr });
    return { code, message };
  };
}
