#!/usr/bin/env node
/** The program `pyramidal-detect`. */
import { runApp, runProgram } from '@pyramidal/task';
import { detection } from './detection';

runProgram(detection.name, () => runApp(detection));
