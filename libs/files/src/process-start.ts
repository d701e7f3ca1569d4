/** Whether the process that a number was noted for still runs, or its number belongs to a later one. */
import { readFileSync } from 'node:fs';

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * When a process began, in the system's own count: field 22 of `/proc/PID/stat` on Linux.
 * @returns null where the system does not say.
 */
export function startOf(pid: number): string | null {
  try {
    // The second field is the program's name in parentheses, which may hold spaces and parentheses itself.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
