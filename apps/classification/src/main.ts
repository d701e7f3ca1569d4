#!/usr/bin/env node
import { runApp } from '@pyramidal/task';
import { classification } from './classification';

async function main(): Promise<void> {
  process.exitCode = await runApp(classification);
}

void main();
