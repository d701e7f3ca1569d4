/** Processes that compute for the check of a card, one engine each. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { SpeedAnswer, SpeedTask } from './speed-contender';
import type { CaseAnswer, WorkerTask } from './worker';

/** What a process printed, and why it ended early; undefined where it did not. */
interface Ended {
  readonly lines: readonly string[];
  readonly fault: string | undefined;
}

const MOST_OUTPUT = 64 * 2 ** 20;
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
    const { lines, fault } = await runSource('worker.ts', { ...task, done: answers.length }, FOR_NUMBERS);
    const found = lines.map((line) => JSON.parse(line) as CaseAnswer);
    answers.push(...found);
    if (fault !== undefined || found.at(-1)?.error === undefined) return { answers, fault };
  }
}

export async function runSpeed(task: SpeedTask): Promise<SpeedAnswer | string> {
  return lastAnswer(await runSource('speed-contender.ts', task, FOR_SPEED));
}

/** The same in PyTorch. */
export async function runPeer(python: string, task: SpeedTask): Promise<SpeedAnswer | string> {
  return lastAnswer(await run(python, [PEER, JSON.stringify(task)], FOR_SPEED));
}

/** A process that ends early after its times, while its step is traced, has those and the reason. */
function lastAnswer({ lines, fault }: Ended): SpeedAnswer | string {
  const last = lines.at(-1);
  if (last === undefined) return fault ?? 'it printed nothing';
  return { ...(JSON.parse(last) as SpeedAnswer), ...(fault !== undefined && { fault }) };
}

function runSource(file: string, task: object, env: NodeJS.ProcessEnv): Promise<Ended> {
  const source = ['-C', '@pyramidal/source', '--import', 'tsx', join(__dirname, file)];
  return run(process.execPath, [...source, JSON.stringify(task)], env);
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, maxBuffer: MOST_OUTPUT };
    execFile(program, args, options, (error, stdout, stderr) => {
      const whole = stdout.split('\n').slice(0, -1);
      const lines = whole.filter((line) => line.startsWith('{'));
      resolve({ lines, fault: error === null ? undefined : describe(error, stderr) });
    });
  });
}

function describe({ signal, message }: Error & { signal?: NodeJS.Signals | undefined | null }, stderr: string): string {
  const said = stderr.trim().split('\n').at(-1);
  if (signal) return `ended by ${signal}${said ? `: ${said}` : ''}`;
  return said || message;
}
