#!/usr/bin/env node
/** The program `pyramidal-data`. */
import { runProgram } from '@pyramidal/program';
import { run } from './run';

if (require.main === module) runProgram('pyramidal-data', (args) => run(args, console.log));
