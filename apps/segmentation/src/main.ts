#!/usr/bin/env node
import { runApp } from '@pyramidal/task';
import { segmentation } from './segmentation';

async function main(): Promise<void> {
  process.exitCode = await runApp(segmentation);
}

void main();
