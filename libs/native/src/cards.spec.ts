import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fakeMachine, type FakeMachine } from '@pyramidal/testing/machine';
import { cardMakers, cudaLibraries, isOlder, nvidiaCards, whyNoCard } from './cards';
import { examineCards } from './examine';
import { writeInstallation } from './install/installation';

const LIBRARIES: Readonly<Record<string, string>> = {
  cuda_runtime: 'libcudart.so.12',
  cublas: 'libcublas.so.12 libcublasLt.so.12',
  cudnn: 'libcudnn.so.9 libcudnn_ops.so.9',
  cufft: 'libcufft.so.11',
  curand: 'libcurand.so.10',
  cuda_nvrtc: 'libnvrtc.so.12',
  cusolver: 'libcusolver.so.11',
  cusparse: 'libcusparse.so.12',
  nccl: 'libnccl.so.2',
  cuda_cupti: 'libcupti.so.12',
  nvjitlink: 'libnvJitLink.so.12',
};

const SMI = 'echo "NVIDIA H100 80GB HBM3, 550.54.15, 81559"; echo "NVIDIA H100 80GB HBM3, 550.54.15, 81559"';

describe('cards', () => {
  let machine: FakeMachine;
  let library: string;
  beforeEach(() => {
    machine = fakeMachine();
    library = join(machine.root, 'stored', 'tensorflow');
    mkdirSync(library, { recursive: true });
  });
  afterEach(() => machine.remove());

  /** NVIDIA's wheels beside TensorFlow, all but some. */
  function unpackWheels(...without: string[]): void {
    for (const [part, files] of Object.entries(LIBRARIES).filter(([name]) => !without.includes(name))) {
      const folder = join(machine.root, 'stored', 'nvidia', part, 'lib');
      mkdirSync(folder, { recursive: true });
      for (const file of files.split(' ')) writeFileSync(join(folder, file), 'x'.repeat(1000));
    }
  }

  it('asks the driver for the cards', async () => {
    expect(await nvidiaCards(machine.env)).toEqual([]);
    machine.program('nvidia-smi', SMI);
    const card = { name: 'NVIDIA H100 80GB HBM3', driver: '550.54.15', memoryMB: 81559 };
    expect(await nvidiaCards(machine.env)).toEqual([card, card]);
    machine.program('nvidia-smi', 'echo "NVIDIA-SMI has failed"; exit 9');
    expect(await nvidiaCards(machine.env)).toEqual([]);
  });

  it('names the makers of the cards that Linux lists', () => {
    expect(cardMakers(machine.root)).toEqual([]);
    for (const [name, vendor] of [
      ['card0', '0x1002'],
      ['card1', '0x8086'],
      ['card0-DP-1', '0x10de'],
      ['card2', '0x1af4'],
    ]) {
      // prettier-ignore
      const device = join(machine.root, 'sys/class/drm', name!, 'device');
      mkdirSync(device, { recursive: true });
      writeFileSync(join(device, 'vendor'), `${vendor}\n`);
    }
    expect(cardMakers(machine.root)).toEqual(['AMD', 'Intel']);
  });

  it('finds the libraries of NVIDIA beside TensorFlow, and the oldest driver for them', () => {
    unpackWheels();
    const { missing, ...others } = cudaLibraries(library, machine.env);
    expect([...missing]).toEqual([]);
    const folder = join(machine.root, 'stored', 'nvidia');
    expect(others).toEqual({ bytes: 13_000, folder, oldestDriver: '525.60.13' });
  });

  it('finds those of a system in the path for libraries', () => {
    unpackWheels('cudnn');
    const folder = join(machine.root, 'system');
    mkdirSync(folder);
    writeFileSync(join(folder, 'libcudnn.so.9.3.0'), '');
    expect([...cudaLibraries(library, { LD_LIBRARY_PATH: folder }).missing]).toEqual([]);
  });

  it.each(Object.entries(LIBRARIES))('names what is missing without %s', async (part, files) => {
    unpackWheels(part);
    machine.program('nvidia-smi', SMI);
    const names = files.split(' ').map((file) => file.split('.')[0]!).filter((name) => name !== 'libcudnn_ops'); // prettier-ignore
    expect(await whyNoCard(library, machine.env)).toBe(
      `${names.join(', ')} missing (of nvidia-${part.replace('_', '-')}-cu12); ` +
        'run `pyramidal-runtime install --engine tensorflow-gpu --force`',
    );
  });

  it('tells no driver, an old driver and the unexplained apart', async () => {
    unpackWheels();
    expect(await whyNoCard(library, machine.env)).toMatch(/neither does `nvidia-smi`: install the NVIDIA driver/);
    machine.program('nvidia-smi', 'echo "Tesla T4, 470.82.01, 15109"');
    expect(await whyNoCard(library, machine.env)).toBe(
      "the NVIDIA driver 470.82.01 is too old for TensorFlow's CUDA, which needs 525.60.13 or newer; install a newer driver",
    );
    machine.program('nvidia-smi', SMI);
    expect(await whyNoCard(library, machine.env)).toMatch(
      /^TensorFlow finds no GPU, though NVIDIA H100 80GB HBM3 has /,
    );
  });

  it.each([
    ['525.60.12', true],
    ['525.60.13', false],
    ['525.60', true],
    ['550', false],
    ['470.223.02', true],
  ])('%s is older than 525.60.13: %s', (version, expected) => {
    expect(isOlder(version, '525.60.13')).toBe(expected);
  });

  it('tells doctor of cards, and of the libraries of an installation', async () => {
    const { env, cache } = machine;
    const textsOf = async () => (await examineCards(env, machine.root)).map(({ subject, good, text }) => `${good ? 'ok' : '--'} ${subject}: ${text}`); // prettier-ignore
    expect(await textsOf()).toEqual(['-- Cards: none that an engine can use; steps run on the processor']);
    machine.program('nvidia-smi', 'echo "Tesla T4, 470.82.01, 15109"');
    expect(await textsOf()).toEqual(['ok Tesla T4: 15109 MB, driver 470.82.01']);
    const installation = { engine: 'tensorflow-gpu', origin: 'o', library, addon: 'a', tensorflow: '2.21.0', files: [] } as const; // prettier-ignore
    writeInstallation(cache, installation);
    unpackWheels('nccl');
    expect((await textsOf())[1]).toMatch(/^-- CUDA libraries: libnccl missing \(of nvidia-nccl-cu12\); run /);
    unpackWheels();
    expect((await textsOf())[1]).toMatch(/^-- CUDA libraries: the NVIDIA driver 470.82.01 is too old .* 525.60.13 or/);
    machine.program('nvidia-smi', SMI);
    expect((await textsOf()).at(-1)).toMatch(
      /^ok CUDA libraries: all 12 in .*nvidia, 0.0 GB; they need driver 525.60.13 or newer$/,
    );
  });
});
