/// <reference lib="dom" />
/**
 * The inspector on 5,000 images and 200,000 detections: the time until it listens, until the first view is whole, and frames a second
 * while the wall is scrolled, in headless Chromium.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { findChromium } from '@pyramidal/testing';
import { chromium, type Page } from 'playwright-core';
import { type Benchmark, type BenchRow, UsageError } from './benchmark';
import { writeSet } from './inspector/write-set';
import { watchMachine } from './machine-load';

const WORKSPACE = join(__dirname, '../../..');
/** Pixels of a wheel's step, and milliseconds: between steps, and in all. */
const WHEEL = { step: 120, pause: 16, lasts: 5000 };
const OPENINGS = 5;

export const inspector: Benchmark = async ({ log }) => {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new UsageError('inspector: expected a Chromium in the path, or PYRAMIDAL_CHROMIUM');
  const set = await writeSet();
  const started = performance.now();
  const { child, address } = await start(['--annotations', set.annotations, '--images', set.images, '--results', set.results]); // prettier-ignore
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const page = await browser.newPage();
  try {
    const listening = performance.now() - started;
    await page.setViewportSize({ width: 1440, height: 900 });
    const told = watchMachine();
    const views: number[] = [];
    for (let i = 0; i < OPENINGS; i++) views.push(await firstView(page, address));
    const { frames, slowest } = await scroll(page);
    const filtered = await filter(page);
    log(`inspector: first views ${views.map((view) => view.toFixed(0)).join(', ')} ms; ${told()}`);
    log(
      `inspector: ${(1000 / frames).toFixed(1)} frames a second while it scrolls, the slowest of 100 takes ${slowest.toFixed(0)} ms`,
    );
    const memory = peakMB(child.pid!);
    const row = (name: string, wallMs: number): BenchRow => ({
      ...{
        case: name,
        engine: 'chromium',
        mode: '5,000 images',
        wallMs,
        cpuMs: NaN,
        peakMB: memory,
        ratioToPeer: null,
      },
    });
    return [
      row('until it listens', listening),
      row('first view, the first time', views[0]!),
      row('first view, the fifth time', views.at(-1)!),
      row('a frame of scrolling', frames),
      row('another filter', filtered),
    ];
  } finally {
    await browser.close();
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
};

/** As people start it in this repository. */
async function start(options: readonly string[]): Promise<{ child: ChildProcess; address: string }> {
  const program = [
    '-C',
    '@pyramidal/source',
    '--import',
    'tsx',
    'apps/detection/src/main.ts',
    'inspect',
    '--port',
    '0',
  ];
  const child = spawn(process.execPath, [...program, ...options], {
    cwd: WORKSPACE,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const told: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    told.push(line);
    const address = /open (http:\S+)/.exec(line)?.[1];
    if (address === undefined) continue;
    child.stderr.resume(); // what else it says is not read
    return { child, address };
  }
  throw new Error(`inspector: it ended before it listened: ${told.join('\n')}`);
}

/** Milliseconds until all pictures on the screen and what is drawn on them are there. */
async function firstView(page: Page, address: string): Promise<number> {
  const start = performance.now();
  await page.goto(address);
  await page.waitForFunction(() => {
    const tiles = document.querySelectorAll('.tiles li:not([hidden])');
    return tiles.length > 0 && document.querySelectorAll('.tiles li:not([hidden]):not([data-drawn])').length === 0;
  });
  return performance.now() - start;
}

/** Milliseconds of a frame, and of the slowest of a hundred. */
async function scroll(page: Page): Promise<{ frames: number; slowest: number }> {
  await page.mouse.move(900, 500);
  let isScrolling = true;
  const noted = page.evaluate(async (lasts) => {
    const times: number[] = [];
    while (times.length < 2 || times.at(-1)! < times[0]! + lasts) {
      times.push(await new Promise<number>((resolve) => requestAnimationFrame(resolve)));
    }
    return times;
  }, WHEEL.lasts);
  void noted.finally(() => (isScrolling = false));
  while (isScrolling) {
    await page.mouse.wheel(0, WHEEL.step);
    await page.waitForTimeout(WHEEL.pause);
  }
  const times = await noted;
  const frames = times.slice(1).map((time, i) => time - times[i]!);
  const sorted = [...frames].sort((a, b) => a - b);
  const mean = frames.reduce((sum, frame) => sum + frame, 0) / frames.length;
  return { frames: mean, slowest: sorted[Math.floor(0.99 * sorted.length)]! };
}

/** Milliseconds from a click to the images that pass. */
async function filter(page: Page): Promise<number> {
  const before = await page.locator('#status').textContent();
  const start = performance.now();
  await page.getByLabel('localization', { exact: true }).check();
  await page.waitForFunction((text) => document.querySelector('#status')!.textContent !== text, before);
  return performance.now() - start;
}

/** Of a process, where the system tells. */
function peakMB(pid: number): number {
  if (process.platform !== 'linux') return NaN;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) / 1024;
}
