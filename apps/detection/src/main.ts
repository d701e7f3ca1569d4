#!/usr/bin/env node
import { runApp } from '@pyramidal/cli';
import { detection } from './detection';

async function main(): Promise<void> {
  process.exitCode = await runApp(detection);
}

void main();
