/** What is found on a machine: of each native engine, and of what installing one needs. */
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  cardMakers,
  CUDA_LIBRARY_COUNT,
  cudaLibraries,
  describeMissing,
  describeOld,
  isOlder,
  type NvidiaCard,
  nvidiaCards,
  whyNoCard,
} from './cards';
import { cacheFolder } from './install/cache-folder';
import { compilerAdvice, findCompiler } from './install/compile-addon';
import { findFault, readInstallation } from './install/installation';
import { probeAddon } from './install/probe';
import { findPip, findPython, findPythonTensorFlow } from './install/python';
import type { NativeEngine } from './native-engine';

export interface Finding {
  readonly subject: string;
  readonly good: boolean;
  /** In plain words, with what to do where it is not good. */
  readonly text: string;
}

/** Whether a native engine is installed and computes. */
export async function examineEngine(engine: NativeEngine): Promise<Finding> {
  const bad = (text: string): Finding => ({ subject: engine, good: false, text });
  const command = `pyramidal-runtime install${engine === 'tensorflow' ? '' : ` --engine ${engine}`}`;
  try {
    const installation = readInstallation(cacheFolder(), engine, process.env.PYRAMIDAL_TENSORFLOW);
    if (!installation) return bad(`not installed; run \`${command}\``);
    const fault = await findFault(installation, 'full');
    if (fault) return bad(`${fault}; run \`${command}\``);
    const { version, gpu } = await probeAddon(installation.addon);
    const { origin, addon, withoutGraphs } = installation;
    const graphs = withoutGraphs === undefined ? '' : `; steps run operation by operation: ${withoutGraphs}`;
    const text = `TensorFlow ${version} computes; from ${origin}; addon ${addon}${graphs}`;
    if (engine === 'tensorflow-gpu' && !gpu) return bad(`${text}, but ${await whyNoCard(installation.library)}`);
    return { subject: engine, good: true, text };
  } catch (error) {
    return bad((error as Error).message);
  }
}

/**
 * The cards of this machine, and CUDA's libraries where `tensorflow-gpu` is installed.
 * @param root of the file system in which Linux lists cards.
 */
export async function examineCards(env: NodeJS.ProcessEnv = process.env, root = '/'): Promise<Finding[]> {
  const cards = await nvidiaCards(env);
  const named = cards.map(({ name, driver, memoryMB }): Finding => {
    return { subject: name, good: true, text: `${memoryMB} MB, driver ${driver}` };
  });
  const listed = cardMakers(root).filter((maker) => maker !== 'NVIDIA' || cards.length === 0);
  const others = listed.map((maker): Finding => ({ subject: `${maker} card`, good: false, text: adviceFor(maker) }));
  const none = { subject: 'Cards', good: false, text: 'none that an engine can use; steps run on the processor' };
  const found = [...named, ...others];
  return [...(found.length === 0 ? [none] : found), ...libraries(cards[0], env)];
}

const adviceFor = (maker: string): string =>
  maker === 'NVIDIA'
    ? '`nvidia-smi` does not find it; install the NVIDIA driver'
    : "tensorflow-gpu needs one of NVIDIA's; on others webgpu computes, an experimental engine";

function libraries(card: NvidiaCard | undefined, env: NodeJS.ProcessEnv): Finding[] {
  const installation = readInstallation(cacheFolder(env), 'tensorflow-gpu', env['PYRAMIDAL_TENSORFLOW']);
  if (installation === undefined) return [];
  const { missing, bytes, folder, oldestDriver } = cudaLibraries(installation.library, env);
  const bad = (text: string): Finding[] => [{ subject: 'CUDA libraries', good: false, text }];
  if (missing.size > 0) return bad(describeMissing(missing));
  if (card && oldestDriver && isOlder(card.driver, oldestDriver)) return bad(describeOld(card.driver, oldestDriver));
  const driver = oldestDriver === undefined ? '' : `; they need driver ${oldestDriver} or newer`;
  const text = `all ${CUDA_LIBRARY_COUNT} in ${folder}, ${(bytes / 1e9).toFixed(1)} GB${driver}`;
  return [{ subject: 'CUDA libraries', good: true, text }];
}

/** The tools and the room that installing needs. */
export async function examineTools(): Promise<Finding[]> {
  return [await compiler(), ...(await python()), await cache()];
}

async function compiler(): Promise<Finding> {
  const name = await findCompiler();
  return { subject: 'C++ compiler', good: Boolean(name), text: name ?? compilerAdvice() };
}

async function python(): Promise<Finding[]> {
  const found = await findPython();
  const missing = (subject: string, text: string): Finding => ({ subject, good: false, text });
  if (!found)
    return [missing('Python', 'no Python 3 found; install python3 and python3-pip to fetch a TensorFlow wheel')];
  const pip = await findPip(found);
  const tensorflow = await findPythonTensorFlow(found);
  return [
    { subject: 'Python', good: true, text: `${found.command.join(' ')}, ${found.version}` },
    pip ? { subject: 'pip', good: true, text: pip } : missing('pip', 'missing; install python3-pip'),
    tensorflow
      ? { subject: 'Its TensorFlow', good: true, text: `${tensorflow.version} in ${tensorflow.folder}` }
      : missing('Its TensorFlow', 'none, which is fine: a wheel is downloaded instead'),
  ];
}

async function cache(): Promise<Finding> {
  const folder = cacheFolder();
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  const free = (bavail * bsize) / 1e9;
  const text = `${folder}, ${free.toFixed(1)} GB free (about 1.5 are needed)`;
  return { subject: 'Cache folder', good: free > 1.5, text };
}
