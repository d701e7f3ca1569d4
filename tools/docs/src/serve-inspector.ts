/** The inspector of detections, started as its users start it. */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const MAIN = resolve(__dirname, '../../../apps/detection/src/main.ts');

/** A sample set, and the folder that `eval` wrote about it. */
export interface Inspected {
  readonly data: string;
  readonly evaluation: string;
}

/**
 * Lends a server's address to work, and stops the server.
 * @throws Error with what the program said where it ends before it serves.
 */
export async function withInspector<Result>(
  { data, evaluation }: Inspected,
  work: (address: string) => Promise<Result>,
): Promise<Result> {
  const files = ['--annotations', join(data, 'annotations/instances_val.json'), '--images', join(data, 'val')];
  const results = ['--results', join(evaluation, 'segm.json'), '--port', '0'];
  const program = ['-C', '@pyramidal/source', '--import', 'tsx', MAIN, 'inspect', ...files, ...results];
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((done) => child.on('exit', done));
  try {
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      const address = /^open (http\S+)/.exec(line)?.[1];
      if (address !== undefined) return await work(address);
    }
    throw new Error(`inspect: ${said.join('\n')}`);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}
