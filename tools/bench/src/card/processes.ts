/** Processes that compute for the check of a card, one engine each. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import type { SpeedAnswer, SpeedTask } from './speed-contender';
import type { CaseAnswer, WorkerTask } from './worker';

/** What a process printed, and why it ended early; undefined where it did not. */
interface Ended {
  readonly lines: readonly string[];
  readonly fault: string | undefined;
}

/** Characters: the last line is told. */
const KEPT_OF_ERRORS = 4096;
const PEER = join(__dirname, '../../peers/card_contender.py');

/** Full float32 on cards, which would round inputs of products to 10 bits otherwise; and no more memory than is used. */
const FOR_NUMBERS = { NVIDIA_TF32_OVERRIDE: '0', TF_FORCE_GPU_ALLOW_GROWTH: 'true' };
/** Speed is measured as TensorFlow and PyTorch are, TensorFloat-32 included where each has it on. */
const FOR_SPEED = { TF_FORCE_GPU_ALLOW_GROWTH: 'true' };

/**
 * What every case gave; the fault is that of the process, such as a signal that ended it half-way. After a case that failed,
 * another process computes those that are left.
 */
export async function runWorker(
  task: Omit<WorkerTask, 'done'>,
): Promise<{ answers: CaseAnswer[]; fault: string | undefined }> {
  const answers: CaseAnswer[] = [];
  for (;;) {
    const { lines, fault } = await startSource('worker.ts', { ...task, done: answers.length }, FOR_NUMBERS).ended;
    const found = lines.map((line) => JSON.parse(line) as CaseAnswer);
    answers.push(...found);
    if (fault !== undefined || found.at(-1)?.error === undefined) return { answers, fault };
  }
}

/** A process that gets ready to be timed. */
export interface Contender {
  /** When it is, or has ended. */
  readonly ready: Promise<unknown>;
  /** Times it: its answer, or why there is none. A process that ends early after its times, while its step is traced, has both. */
  time(): Promise<SpeedAnswer | string>;
}

export function startSpeed(task: SpeedTask): Contender {
  return contender(startSource('speed-contender.ts', task, FOR_SPEED));
}

/** The same in PyTorch. */
export function startPeer(python: string, task: SpeedTask): Contender {
  return contender(start(python, [PEER, JSON.stringify(task)], FOR_SPEED));
}

function contender({ input, firstLine, ended }: Started): Contender {
  const time = async (): Promise<SpeedAnswer | string> => {
    input.write('\n');
    const { lines, fault } = await ended;
    const last = lines.slice(1).at(-1); // the first says that it is ready
    if (last === undefined) return fault ?? 'it printed nothing';
    return { ...(JSON.parse(last) as SpeedAnswer), ...(fault !== undefined && { fault }) };
  };
  return { ready: Promise.race([firstLine, ended]), time };
}

interface Started {
  readonly input: Writable;
  readonly firstLine: Promise<unknown>;
  readonly ended: Promise<Ended>;
}

function startSource(file: string, task: object, env: NodeJS.ProcessEnv): Started {
  const source = ['-C', '@pyramidal/source', '--import', 'tsx', join(__dirname, file)];
  return start(process.execPath, [...source, JSON.stringify(task)], env);
}

function start(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Started {
  const child = spawn(program, args, { env: { ...process.env, ...env } });
  child.stdin.on('error', () => undefined); // of a process that has ended, which its end tells
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout });
  const firstLine = new Promise((resolve) => {
    output.on('line', (line) => {
      if (!line.startsWith('{')) return;
      lines.push(line);
      resolve(line);
    });
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-KEPT_OF_ERRORS)));
  const ended = new Promise<Ended>((resolve) => {
    child.on('error', ({ message }) => resolve({ lines, fault: message })); // a program that is not there
    child.on('close', (code, signal) =>
      resolve({ lines, fault: code === 0 ? undefined : describe(signal ?? code, stderr) }),
    );
  });
  return { input: child.stdin, firstLine, ended };
}

function describe(end: NodeJS.Signals | number | null, stderr: string): string {
  const said = stderr.trim().split('\n').at(-1);
  if (typeof end === 'string') return `ended by ${end}${said ? `: ${said}` : ''}`;
  return said || `ended with ${end}`;
}
