/** How much memory this process takes at most while something runs, and how much is free. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { freemem } from 'node:os';

const STATUS = '/proc/self/status';
const CLEAR = '/proc/self/clear_refs';
const GROUP = '/sys/fs/cgroup';

/** Bytes that this process holds. */
export const heldMemory = (): number => process.memoryUsage.rss();

/**
 * The largest number of bytes that this process held while `run` ran. Linux tells it; elsewhere it is the largest since the process began.
 */
export async function peakWhile(run: () => Promise<void>): Promise<number> {
  resetPeak();
  await run();
  const [, kibibytes] = existsSync(STATUS) ? (/^VmHWM:\s+(\d+)/m.exec(readFileSync(STATUS, 'utf8')) ?? []) : [];
  return 1024 * (kibibytes === undefined ? process.resourceUsage().maxRSS : Number(kibibytes));
}

/** Where the system does not let us, peaks only rise: what is measured later is measured all the same. */
function resetPeak(): void {
  if (!existsSync(CLEAR)) return;
  try {
    writeFileSync(CLEAR, '5');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}

/** Bytes that may still be taken: of the machine, and of the control group that a container has. */
export function freeMemory(group = GROUP): number {
  const limit = numberIn(`${group}/memory.max`);
  const used = numberIn(`${group}/memory.current`);
  if (limit === undefined || used === undefined) return freemem();
  // Files that were read count as used, and give way.
  const [, cached] = /^inactive_file (\d+)$/m.exec(textOf(`${group}/memory.stat`)) ?? [];
  return Math.min(freemem(), Math.max(limit - used + Number(cached ?? 0), 0));
}

/** Undefined where there is no such file, or no limit: it says `max`. */
function numberIn(file: string): number | undefined {
  const text = textOf(file).trim();
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
