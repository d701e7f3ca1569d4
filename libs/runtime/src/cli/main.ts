#!/usr/bin/env node
/** The program `pyramidal-runtime`. */
import { Command, CommanderError, Option } from 'commander';
import { type ExitCode, printable, runProgram } from '@pyramidal/program';
import { doctorCommand } from './doctor';
import { installCommand, type InstallCommandOptions } from './install';

function program(finish: (code: ExitCode) => void): Command {
  const root = new Command('pyramidal-runtime')
    .description('Installs and examines the engines that TensorFlow.js computes with')
    .option('--debug', 'show where an error comes from')
    .exitOverride();
  root
    .command('install')
    .description('install native TensorFlow into the cache folder; does nothing where it is installed')
    .addOption(new Option('--engine <name>').choices(['tensorflow', 'tensorflow-gpu']).default('tensorflow'))
    .option(
      '--library <path>',
      'a TensorFlow of your own: a wheel, a folder with libtensorflow, site-packages/tensorflow',
    )
    .option('--tensorflow <version>', 'version of the wheel to download')
    .option('--force', 'install again')
    .option('--quiet', 'say nothing when it is installed already')
    .option('--optional', 'when it cannot be had, say so in one line and exit with 0')
    .action(async (options: InstallCommandOptions) => finish(await installCommand(options)));
  root
    .command('doctor')
    .description('explain what is ready, what is missing and what to do about it')
    .action(async () => finish(await doctorCommand()));
  for (const command of [root, ...root.commands])
    command.exitOverride().configureOutput({ outputError: () => undefined });
  return root;
}

async function main(args: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = 0;
  try {
    await program((exitCode) => (code = exitCode)).parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    process.stderr.write(`${printable(error.message.replace(/\s*\n\s*/g, ' '))}\n`);
    return 2;
  }
}

runProgram('pyramidal-runtime', main);
