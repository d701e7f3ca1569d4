#!/usr/bin/env node
import { runApp } from '@pyramidal/cli';
import { classification } from './classification';

async function main(): Promise<void> {
  process.exitCode = await runApp(classification);
}

void main();
