/** Finds the Chromium that browser specs run in. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

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
export const SOFTWARE_GRAPHICS = [
  ...['--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  ...['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
];
