#!/usr/bin/env node
/** The program `pyramidal-weights`. */
import { Command, CommanderError } from 'commander';
import { reportError, runProgram } from '@pyramidal/program';
import { convert } from './convert';
import { diff } from './diff';
import { inspect } from './inspect';

const ENTRY = 'the weights to take: model, ema, or another key of a PyTorch file, for instance model_ema';

/** Exit codes: 0 done, 1 failed or (diff) different, 2 wrong usage. */
export function run(args: readonly string[], print: (line: string) => void, complain: (line: string) => void): number {
  let code = 0;
  const program = new Command('pyramidal-weights')
    .description('Look into, convert and compare weights files (safetensors and PyTorch checkpoints)')
    .option('--debug', 'show the stack of an error')
    .configureOutput({ writeOut: (text) => print(text.trimEnd()), writeErr: (text) => complain(text.trimEnd()) })
    .exitOverride();
  program
    .command('inspect <file>')
    .description('names, shapes, dtypes and statistics of the tensors, and what else the file holds')
    .option('--entry <name>', ENTRY)
    .option('--json', 'print JSON')
    .action((file: string, options: object) => inspect(file, options, print));
  program
    .command('convert <in> <out>')
    .description('write the tensors as safetensors, with official names and layouts')
    .option('--entry <name>', ENTRY)
    .option('--part <name>', 'only this part of a detector or segmentor, for instance backbone')
    .action((input: string, output: string, options: object) => convert(input, output, options, print));
  program
    .command('diff <a> <b>')
    .description('which tensors differ, and by how much')
    .action((a: string, b: string) => void (code = diff(a, b, print) ? 0 : 1));
  try {
    program.parse(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return reportError(error, args, { write: (text) => complain(text.trimEnd()) });
  }
}

if (require.main === module) runProgram('pyramidal-weights', (args) => run(args, console.log, console.error));
