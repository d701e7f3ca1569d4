/** The Chromium that browser specs run in. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The browser that `PYRAMIDAL_CHROMIUM` names, or else one in the path; undefined where there is none. */
export function findChromium(): string | undefined {
  const named = process.env['PYRAMIDAL_CHROMIUM'];
  if (named) return named;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Graphics in software, so that WebGL and WebGPU run where there is no graphics processor. */
const SOFTWARE_GRAPHICS = [
  ...['--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  ...['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
];

/** Starts a browser with an empty page. */
export async function openChromium(executablePath: string): Promise<{ browser: Browser; page: Page }> {
  const { chromium } = await import('playwright-core'); // only the specs that need it wait for it
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', ...SOFTWARE_GRAPHICS] });
  const page = await browser.newPage();
  // The WebAssembly engine takes half of the processors that it sees.
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Emulation.setHardwareConcurrencyOverride', { hardwareConcurrency: 4 });
  return { browser, page };
}
