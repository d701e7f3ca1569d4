import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { existsSync } from 'node:fs';
import type { NativeEngine } from '../engines';
import { cacheFolder } from '../install/cache-folder';
import { compilerAdvice, findCompiler } from '../install/compile-addon';
import { findFault, readInstallation } from '../install/installation';
import { probeAddon } from '../install/probe';
import { findPip, findPython, findPythonTensorFlow } from '../install/python';
import { openRuntime } from '../open-runtime';

interface Finding {
  readonly subject: string;
  readonly good: boolean;
  readonly text: string;
}

/** Prints what was found for every engine and every tool that installing needs; returns the exit code. */
export async function doctorCommand(): Promise<number> {
  print('Engines', [
    await native('tensorflow'),
    await native('tensorflow-gpu'),
    await opens('wasm'),
    await opens('cpu'),
  ]);
  print('For installing', [await compiler(), ...(await python()), await cache()]);
  const { engine, reason } = await openRuntime();
  process.stdout.write(`\n'auto' takes ${engine}: ${reason}\n`);
  return 0;
}

function print(title: string, findings: readonly Finding[]): void {
  process.stdout.write(`${title}\n`);
  for (const { subject, good, text } of findings) {
    process.stdout.write(`  ${good ? 'ok' : '--'}  ${subject.padEnd(16)}${text}\n`);
  }
}

async function native(engine: NativeEngine): Promise<Finding> {
  const bad = (text: string): Finding => ({ subject: engine, good: false, text });
  const command = `pyramidal-runtime install${engine === 'tensorflow' ? '' : ` --engine ${engine}`}`;
  const installation = await readInstallation(cacheFolder(), engine, process.env.PYRAMIDAL_TENSORFLOW);
  if (!installation) return bad(`not installed; run \`${command}\``);
  const fault = await findFault(installation, 'full');
  if (fault) return bad(`${fault}; run \`${command}\``);
  try {
    const { version, gpu } = await probeAddon(installation.addon);
    const text = `TensorFlow ${version} computes; from ${installation.origin}; addon ${installation.addon}`;
    if (engine === 'tensorflow-gpu' && !gpu) return bad(`${text}, but it finds no GPU; check \`nvidia-smi\``);
    return { subject: engine, good: true, text };
  } catch (error) {
    return bad((error as Error).message);
  }
}

async function opens(engine: 'wasm' | 'cpu'): Promise<Finding> {
  try {
    const { threads, reason } = await openRuntime({ engine });
    const note = reason.replace(/^asked for(; )?/, '');
    return { subject: engine, good: true, text: `opens with ${threads} thread(s)${note && `; ${note}`}` };
  } catch (error) {
    return { subject: engine, good: false, text: (error as Error).message };
  }
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
