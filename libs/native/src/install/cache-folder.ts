/** The folder that installed libraries live in. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where installed libraries live: `PYRAMIDAL_CACHE`, else the platform's cache folder for the user. */
export function cacheFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  if (env.PYRAMIDAL_CACHE) return resolve(env.PYRAMIDAL_CACHE);
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'pyramidal', 'Cache');
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'pyramidal');
  return join(env.XDG_CACHE_HOME || join(home, '.cache'), 'pyramidal');
}
