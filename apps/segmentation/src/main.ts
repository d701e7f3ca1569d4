#!/usr/bin/env node
/** The program `pyramidal-segment`. */
import { runApp, runProgram } from '@pyramidal/task';
import { segmentation } from './segmentation';

runProgram(segmentation.name, () => runApp(segmentation));
