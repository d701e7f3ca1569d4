/** Adapters: the graphics cards that WebGPU computes on, and what imitates one. */
import { RuntimeError } from '@pyramidal/kernels/engine';
import { loadDawn, type Dawn } from './dawn';

/** An adapter as WebGPU has it now; the types that TensorFlow.js brings are older. */
interface Adapter extends GPUAdapter {
  readonly info: GPUAdapterInfo;
}

/** The adapter that computes. */
export interface FoundAdapter {
  readonly adapter: Adapter;
  readonly gpu: GPU;
  /** As its driver calls it. */
  readonly name: string;
}

/** Programs that compute on the processor what a card would. */
export const isSoftware = (name: string): boolean => /swiftshader|llvmpipe|lavapipe|basic render/i.test(name);

/** The adapter, and whether it is a card. */
export const describeAdapter = (name: string): string =>
  isSoftware(name) ? `${name}, by which the processor imitates a card` : name;

/**
 * The names of all adapters of this machine, as their drivers give them.
 * @throws RuntimeError if the package `webgpu` is missing or does not load.
 */
export async function adapterNames(): Promise<string[]> {
  return namesOf(await loadDawn());
}

/** The name of the adapter that `openWebGpu` takes. @throws RuntimeError if there is none, or the package is missing. */
export async function chosenAdapter(): Promise<string> {
  return (await findAdapter(await loadDawn())).name;
}

/** The one that `PYRAMIDAL_ADAPTER` names by a part of its name, or else the fastest. @throws RuntimeError if there is none. */
export async function findAdapter(dawn: Dawn, env: NodeJS.ProcessEnv = process.env): Promise<FoundAdapter> {
  const names = await namesOf(dawn);
  if (names.length === 0) throw new RuntimeError(`webgpu: no adapter is found; ${ADVICE}`);
  const wanted = env['PYRAMIDAL_ADAPTER'] || undefined;
  const matching = names.filter((name) => wanted === undefined || name.toLowerCase().includes(wanted.toLowerCase()));
  if (wanted !== undefined && matching.length === 0) {
    throw new RuntimeError(`webgpu: PYRAMIDAL_ADAPTER: expected a part of ${names.join(' or ')}, received '${wanted}'`);
  }
  const gpu = dawn.create(wanted === undefined ? [] : [`adapter=${matching[0]}`]);
  const adapter = (await gpu.requestAdapter({ powerPreference: 'high-performance' })) as Adapter | null;
  if (adapter === null) throw new RuntimeError(`webgpu: none of ${names.join(', ')} gives a device; ${ADVICE}`);
  const { device } = adapter.info;
  return { adapter, gpu, name: matching.find((name) => normalized(name) === device) ?? device };
}

const ADVICE =
  process.platform === 'linux'
    ? "install the card's driver with Vulkan, and libvulkan1 (Mesa's mesa-vulkan-drivers imitates a card where there is none)"
    : "update the card's driver";

/** Asking for a name that no adapter has is the one way to hear of all: WebGPU itself gives one at a time. */
async function namesOf(dawn: Dawn): Promise<string[]> {
  const asked = dawn.create(['adapter=?']).requestAdapter();
  const answer = await asked.then(
    () => '',
    (error: Error) => error.message,
  );
  return [...answer.matchAll(/name: '(.*)'/g)].map(([, name]) => name!);
}

/** As `GPUAdapterInfo` writes names. */
const normalized = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
