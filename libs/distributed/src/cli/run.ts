/** `pyramidal-launch --workers 2 -- PROGRAM ARGUMENTS`. */
import { type ExitCode, printable } from '@pyramidal/program';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { launch } from '../launch';
import { LONGEST_WAIT } from '../limits';

/** Processes that one machine has room for. */
const MOST = 1024;

interface Options {
  readonly workers: number;
  readonly cards?: true;
  readonly maxRestarts: number;
  readonly timeout?: number;
}

/** Exit codes: that of the first worker that failed, 0 if none did, 2 for wrong usage. */
export async function run(args: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = 0;
  const cli = new Command('pyramidal-launch')
    .description('Starts a program as several workers of one training on this machine')
    .requiredOption('--workers <count>', 'processes to start', between(1, MOST))
    .option('--cards', 'give each worker a card of its own (CUDA_VISIBLE_DEVICES)')
    .option(
      '--max-restarts <count>',
      'start all again from the last checkpoint when one fails, so many times',
      between(0, 1_000_000),
      0,
    )
    .option(
      '--timeout <seconds>',
      'how long a worker waits for the others before it gives up (default: 300)',
      between(1, LONGEST_WAIT),
    )
    .argument('<command...>', 'the program and its arguments, after --', program)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .action(async (command: [string, ...string[]], options: Options) => {
      code = await launch({ ...options, command, say: (line) => process.stderr.write(`${line}\n`) });
    });
  try {
    await cli.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    process.stderr.write(`pyramidal-launch: ${printable(error.message.replace(/^error: /, ''))}\n`);
    return 2;
  }
}

/** The words of a command, of which the first names a program. */
function program(word: string, before: readonly string[] = []): string[] {
  if (word === '' && before.length === 0) throw new InvalidArgumentError("expected the name of a program, received ''");
  return [...before, word];
}

const between =
  (least: number, most: number) =>
  (text: string): number => {
    const count = Number(text);
    if (/^\d+$/.test(text) && count >= least && count <= most) return count;
    throw new InvalidArgumentError(
      `expected a whole number from ${least} to ${most}, received '${text.slice(0, 100)}'`,
    );
  };
