import { join } from 'node:path';
import { cacheFolder } from './cache-folder';

describe('cacheFolder', () => {
  const home = join('/', 'home', 'me');

  it.each([
    ['linux', {}, join(home, '.cache', 'pyramidal')],
    ['linux', { XDG_CACHE_HOME: '/xdg' }, join('/xdg', 'pyramidal')],
    ['darwin', {}, join(home, 'Library', 'Caches', 'pyramidal')],
    ['win32', { LOCALAPPDATA: '/local' }, join('/local', 'pyramidal', 'Cache')],
    ['win32', {}, join(home, 'AppData', 'Local', 'pyramidal', 'Cache')],
    ['linux', { PYRAMIDAL_CACHE: '/mine', XDG_CACHE_HOME: '/xdg' }, '/mine'],
  ] as const)('on %s with %j is %s', (platform, env, folder) => {
    expect(cacheFolder(env, platform, home)).toBe(folder);
  });
});
