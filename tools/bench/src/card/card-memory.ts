/** Memory of a card, as NVIDIA's driver counts it. */
import { execFileSync } from 'node:child_process';

/**
 * Megabytes of cards that this process uses; of the first card, by all processes, where the driver knows this one by another
 * number, as in containers; undefined where there is no driver to ask.
 */
export function cardMemoryMB(): number | undefined {
  try {
    const own = ask('--query-compute-apps=pid,used_memory').filter(([pid]) => pid === process.pid);
    if (own.length > 0) return own.reduce((sum, [, used]) => sum + used!, 0);
    return ask('--query-gpu=memory.used')[0]?.[0];
  } catch {
    return undefined; // no such program, or no driver
  }
}

function ask(query: string): number[][] {
  const args = [query, '--format=csv,noheader,nounits'];
  const told = execFileSync('nvidia-smi', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const lines = told.split('\n').filter((line) => line !== '');
  return lines.map((line) => line.split(',').map(Number));
}
