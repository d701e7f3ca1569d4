#!/usr/bin/env node
/** The program `pyramidal-classify`. */
import { runApp, runProgram } from '@pyramidal/task';
import { classification } from './classification';

runProgram(classification.name, () => runApp(classification));
