/** The graphics cards of a machine, and whether TensorFlow has what it needs to compute on one of NVIDIA's. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { runCommand } from './install/run-command';

/** A card that NVIDIA's driver knows. */
export interface NvidiaCard {
  readonly name: string;
  /** Version of the driver. */
  readonly driver: string;
  readonly memoryMB: number;
}

/** The libraries that TensorFlow loads by name to compute on a card, with the wheel that has each. */
const CUDA_LIBRARIES: Readonly<Record<string, string>> = {
  libcudart: 'nvidia-cuda-runtime-cu12',
  libcublas: 'nvidia-cublas-cu12',
  libcublasLt: 'nvidia-cublas-cu12',
  libcudnn: 'nvidia-cudnn-cu12',
  libcufft: 'nvidia-cufft-cu12',
  libcurand: 'nvidia-curand-cu12',
  libcusolver: 'nvidia-cusolver-cu12',
  libcusparse: 'nvidia-cusparse-cu12',
  libnccl: 'nvidia-nccl-cu12',
  libcupti: 'nvidia-cuda-cupti-cu12',
  libnvrtc: 'nvidia-cuda-nvrtc-cu12',
  libnvJitLink: 'nvidia-nvjitlink-cu12',
};

export const CUDA_LIBRARY_COUNT = Object.keys(CUDA_LIBRARIES).length;

/** The oldest driver on Linux for each generation of CUDA (NVIDIA, "CUDA Compatibility", minor version compatibility). */
const OLDEST_DRIVER: Readonly<Record<string, string>> = { 11: '450.80.02', 12: '525.60.13', 13: '580.65.06' };

/** Where libraries of a system's own CUDA lie, besides the folders of `LD_LIBRARY_PATH`. */
const SYSTEM_FOLDERS = ['/usr/local/cuda/lib64', '/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu'];

/** Of PCI, by the number that Linux shows. */
const VENDORS: Readonly<Record<string, string>> = { '0x10de': 'NVIDIA', '0x1002': 'AMD', '0x8086': 'Intel' };

/** CUDA's libraries as TensorFlow will find them. */
export interface CudaLibraries {
  /** Names without endings, such as `libcudnn`, of those that are nowhere, with the wheels that have them. */
  readonly missing: ReadonlyMap<string, string>;
  /** Of all files of NVIDIA's wheels beside TensorFlow; 0 where there are none. */
  readonly bytes: number;
  /** The first folder of those with libraries: NVIDIA's wheels beside TensorFlow, or a system's own. */
  readonly folder: string | undefined;
  /** The oldest driver that they run with; undefined where the CUDA runtime is missing or of an unknown generation. */
  readonly oldestDriver: string | undefined;
}

/** The cards that NVIDIA's driver knows; none where its program `nvidia-smi` is missing or fails. */
export async function nvidiaCards(env: NodeJS.ProcessEnv = process.env): Promise<NvidiaCard[]> {
  const args = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader,nounits'];
  const { code, stdout } = await runCommand('nvidia-smi', args, { env });
  if (code !== 0) return [];
  return stdout.split('\n').flatMap((line) => {
    const [name, driver, memory] = line.split(',').map((word) => word.trim());
    return name && driver ? [{ name, driver, memoryMB: Number(memory) }] : [];
  });
}

/** Makers of the cards that Linux lists, whether a driver of theirs is loaded or not; none elsewhere. @param root of the file system. */
export function cardMakers(root = '/'): string[] {
  const folder = join(root, 'sys', 'class', 'drm');
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder)
    .filter((name) => /^card\d+$/.test(name))
    .map((name) => join(folder, name, 'device', 'vendor'));
  return files.filter((file) => existsSync(file)).flatMap((file) => VENDORS[readFileSync(file, 'utf8').trim()] ?? []);
}

/** @param library the folder of TensorFlow's shared objects, beside which NVIDIA's wheels are unpacked. */
export function cudaLibraries(library: string, env: NodeJS.ProcessEnv = process.env): CudaLibraries {
  const wheels = join(dirname(library), 'nvidia');
  const own = existsSync(wheels) ? readdirSync(wheels).map((part) => join(wheels, part, 'lib')) : [];
  const system = [...(env['LD_LIBRARY_PATH'] ?? '').split(delimiter).filter(Boolean), ...SYSTEM_FOLDERS];
  const found = new Map<string, { folder: string; generation: string }>();
  for (const folder of [...own, ...system].filter((each) => existsSync(each))) {
    for (const file of readdirSync(folder)) {
      const [, name, generation] = /^(lib\w+)\.so\.(\d+)/.exec(file) ?? [];
      if (name !== undefined && name in CUDA_LIBRARIES && !found.has(name))
        found.set(name, { folder, generation: generation! });
    }
  }
  const [first] = found.values();
  return {
    missing: new Map(Object.entries(CUDA_LIBRARIES).filter(([name]) => !found.has(name))),
    bytes: own.reduce((sum, folder) => sum + bytesIn(folder), 0),
    folder: first && (first.folder.startsWith(wheels) ? wheels : first.folder),
    oldestDriver: OLDEST_DRIVER[found.get('libcudart')?.generation ?? ''],
  };
}

function bytesIn(folder: string): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/**
 * Why TensorFlow finds no card, in one line with what to do: no driver, no card, a driver that is too old, libraries that are
 * missing.
 */
export async function whyNoCard(library: string, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const [card] = await nvidiaCards(env);
  if (card === undefined) {
    return 'TensorFlow finds no GPU, and neither does `nvidia-smi`: install the NVIDIA driver, and in a container give it the card';
  }
  const { missing, oldestDriver } = cudaLibraries(library, env);
  if (missing.size > 0) return describeMissing(missing);
  if (oldestDriver !== undefined && isOlder(card.driver, oldestDriver)) return describeOld(card.driver, oldestDriver);
  return `TensorFlow finds no GPU, though ${card.name} has driver ${card.driver}; TF_CPP_MIN_LOG_LEVEL=0 shows what it says`;
}

export const describeMissing = (missing: CudaLibraries['missing']): string =>
  `${[...missing.keys()].join(', ')} missing (of ${[...new Set(missing.values())].join(', ')}); ` +
  'run `pyramidal-runtime install --engine tensorflow-gpu --force`';

export const describeOld = (driver: string, oldest: string): string =>
  `the NVIDIA driver ${driver} is too old for TensorFlow's CUDA, which needs ${oldest} or newer; install a newer driver`;

/** Of versions such as 525.60.13. */
export function isOlder(version: string, than: string): boolean {
  const [own, other] = [version, than].map((text) => text.split('.').map(Number)) as [number[], number[]];
  const differing = other.findIndex((part, i) => (own[i] ?? 0) !== part);
  return differing >= 0 && (own[differing] ?? 0) < other[differing]!;
}
