#!/usr/bin/env node
import { runApp } from '@pyramidal/task';
import { detection } from './detection';

async function main(): Promise<void> {
  process.exitCode = await runApp(detection);
}

void main();
