/** Memory of a card, as NVIDIA's driver counts it. */
import { execFileSync } from 'node:child_process';

/** Megabytes of the first card that are in use by all processes; undefined where there is no driver to ask. */
export function cardMemoryMB(): number | undefined {
  try {
    const args = ['--query-gpu=memory.used', '--format=csv,noheader,nounits'];
    const used = execFileSync('nvidia-smi', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return Number(used.split('\n')[0]);
  } catch {
    return undefined; // no such program, or no driver
  }
}
