/** What a process takes until it says its first line. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

export interface FirstResult {
  /** From the start of the process to the first line on its standard output. */
  readonly wallMs: number;
  /** Until then; NaN where the system does not tell. */
  readonly cpuMs: number;
  /** Until then; NaN where the system does not tell. */
  readonly peakMB: number;
}

/** Linux counts processor time in hundredths of a second. */
const TICK_MS = 10;

/** Starts a program and waits for its end. @throws Error if it fails or says nothing. */
export async function firstResult(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<FirstResult> {
  const start = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let said = '';
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  const ended = once(child, 'exit') as Promise<[code: number | null]>;
  let result: FirstResult | undefined;
  child.stdout.on('data', () => {
    result ??= { wallMs: performance.now() - start, ...usageOf(child.pid!) };
  });
  const [code] = await ended;
  if (code === 0 && result !== undefined) return result;
  throw new Error(`startup: ${[command, ...args].join(' ')} ended with ${code}: ${said.trim().split('\n').at(-1)}`);
}

function usageOf(pid: number): Pick<FirstResult, 'cpuMs' | 'peakMB'> {
  if (process.platform !== 'linux') return { cpuMs: NaN, peakMB: NaN };
  // The name of the program, in parentheses, may have spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return { cpuMs: (user + system) * TICK_MS, peakMB: Number(peak?.[1]) / 1024 };
}
