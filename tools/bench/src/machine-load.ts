/** What else the machine does: load and stolen time, as Linux tells them. */
import { existsSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';

const STAT = '/proc/stat';
/** Column of the time that the host gave to others. */
const STEAL = 7;

/** Watches the machine from now on. @returns what tells of the time since then. */
export function watchMachine(): () => string {
  const before = processorTimes();
  return () => {
    const load = `load ${loadavg()[0]!.toFixed(1)}`;
    const spent = processorTimes().map((time, i) => time - before[i]!);
    const total = spent.reduce((sum, time) => sum + time, 0);
    return total === 0 ? load : `${load}, stolen ${((100 * spent[STEAL]!) / total).toFixed(1)} %`;
  };
}

/** Times of all processors by what they were spent on; none where the system does not tell. */
function processorTimes(): number[] {
  if (!existsSync(STAT)) return [];
  const [, ...times] = readFileSync(STAT, 'utf8').split('\n', 1)[0]!.trim().split(/\s+/);
  return times.slice(0, STEAL + 1).map(Number);
}
