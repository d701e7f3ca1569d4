#!/usr/bin/env node
import { runApp } from '@pyramidal/cli';
import { evaluate } from './commands/evaluate';
import { exportModel } from './commands/export';
import { info } from './commands/info';
import { predict } from './commands/predict';
import { train } from './commands/train';

async function main(): Promise<void> {
  process.exitCode = await runApp({
    name: 'pyramidal-classify',
    description: 'Trains and evaluates image classifiers on four-stage pyramid backbones.',
    train,
    evaluate,
    predict,
    exportModel,
    info,
  });
}

void main();
