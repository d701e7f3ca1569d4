#!/usr/bin/env node
/** The program `pyramidal-launch`. */
import { runProgram } from '@pyramidal/program';
import { run } from './run';

if (require.main === module) runProgram('pyramidal-launch', run);
