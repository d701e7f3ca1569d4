/** Specs of the WebGPU engine, in programs of their own: what finds adapters reads the environment when a process starts. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findChromium } from './chromium';

/** Runs a program of this workspace where WebGPU has an adapter. */
export type RunOnWebGpu = (program: string, ...args: readonly string[]) => SpawnSyncReturns<string>;

/** Describes `body` where WebGPU has an adapter, SwiftShader or Mesa before a card; elsewhere the block is skipped and says why. */
export function describeOnWebGpu(name: string, body: (run: RunOnWebGpu) => void): void {
  const env = webGpuEnvironment();
  if (typeof env === 'string') {
    describe.skip(`${name} (skipped: ${env})`, () => it('needs an adapter', () => undefined));
    return;
  }
  const tsx = pathToFileURL(createRequire(__filename).resolve('tsx')).href;
  const source = ['-C', '@pyramidal/source', '--import', tsx];
  describe(name, () => {
    let cwd: string;
    beforeAll(() => {
      cwd = mkdtempSync(join(tmpdir(), 'pyramidal-'));
      // SwiftShader's threads wait for each other by counting: with one, small work takes a seventh of the time.
      writeFileSync(join(cwd, 'SwiftShader.ini'), '[Processor]\nThreadCount=1\n');
    });
    afterAll(() => rmSync(cwd, { recursive: true }));
    const options = { env, encoding: 'utf8', maxBuffer: 2 ** 26 } as const;
    body((program, ...args) => spawnSync(process.execPath, [...source, program, ...args], { ...options, cwd }));
  });
}

/** The environment in which WebGPU has an adapter, or why there is none. */
function webGpuEnvironment(): NodeJS.ProcessEnv | string {
  try {
    createRequire(__filename).resolve('webgpu/package.json');
  } catch {
    return 'the package webgpu is not installed';
  }
  const environments = [...swiftShader(), ...mesa(), {}].map((variables) => ({ ...process.env, ...variables }));
  return environments.find(hasAdapter) ?? 'WebGPU finds no adapter';
}

const PROBE =
  "import('webgpu').then(({ create }) => create([]).requestAdapter())" +
  '.then((adapter) => process.exit(adapter ? 0 : 1), () => process.exit(1))';

const hasAdapter = (env: NodeJS.ProcessEnv): boolean =>
  spawnSync(process.execPath, ['-e', PROBE], { env, cwd: __dirname, stdio: 'ignore' }).status === 0;

/** As Chromium has it. */
function swiftShader(): NodeJS.ProcessEnv[] {
  const chromium = findChromium();
  const folders = ['/usr/lib/chromium', ...(chromium && existsSync(chromium) ? [dirname(realpathSync(chromium))] : [])];
  return folders
    .map((folder) => ({ LD_LIBRARY_PATH: folder, VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json') }))
    .filter(({ VK_ICD_FILENAMES: driver }) => existsSync(driver));
}

const MESA = '/usr/share/vulkan/icd.d';

function mesa(): NodeJS.ProcessEnv[] {
  if (!existsSync(MESA)) return [];
  const drivers = readdirSync(MESA).filter((name) => name.startsWith('lvp_icd'));
  return drivers.map((name) => ({ VK_ICD_FILENAMES: join(MESA, name) }));
}
