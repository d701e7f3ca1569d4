#!/usr/bin/env node
import { Command, CommanderError, Option } from 'commander';
import { RuntimeError } from '@pyramidal/kernels/engine';
import { doctorCommand } from './doctor';
import { installCommand, type InstallCommandOptions } from './install';

function program(): Command {
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
    .action(async (options: InstallCommandOptions) => void (process.exitCode = await installCommand(options)));
  root
    .command('doctor')
    .description('explain what is ready, what is missing and what to do about it')
    .action(async () => process.exit(await doctorCommand()));
  for (const command of [root, ...root.commands])
    command.exitOverride().configureOutput({ outputError: () => undefined });
  return root;
}

async function main(): Promise<void> {
  const root = program();
  try {
    await root.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode !== 0) process.stderr.write(`${error.message.replace(/\s*\n\s*/g, ' ')}\n`);
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    const known = error instanceof RuntimeError && !root.opts<{ debug?: boolean }>().debug;
    process.stderr.write(`${known ? error.message : (error as Error).stack}\n`);
    process.exitCode = 1;
  }
}

void main();
