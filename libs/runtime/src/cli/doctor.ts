/** `pyramidal-runtime doctor`: what is ready, what is missing, and what to do about it. */
import { examineCards, examineEngine, examineTools, type Finding } from '@pyramidal/native';
import { openRuntime } from '../open-runtime';

/** Prints what was found for every engine and every tool that installing needs; returns the exit code. */
export async function doctorCommand(): Promise<number> {
  print('Engines', [
    await examineEngine('tensorflow'),
    await examineEngine('tensorflow-gpu'),
    await opens('webgpu'),
    await opens('wasm'),
    await opens('cpu'),
  ]);
  print('Cards', [...(await examineCards()), ...(await examineAdapters())]);
  print('For installing', await examineTools());
  const { engine, reason } = await openRuntime();
  process.stdout.write(`\n'auto' takes ${engine}: ${reason}\n`);
  return 0;
}

function print(title: string, findings: readonly Finding[]): void {
  process.stdout.write(`${title}\n`);
  for (const { subject, good, text } of findings) {
    process.stdout.write(`  ${good ? 'ok' : '--'}  ${subject.padEnd(15)} ${text}\n`);
  }
}

async function opens(engine: 'webgpu' | 'wasm' | 'cpu'): Promise<Finding> {
  try {
    const { threads, reason } = await openRuntime({ engine });
    const note = reason.replace(/^asked for(; )?/, '');
    const text = engine === 'webgpu' ? `opens ${note}` : `opens with ${threads} thread(s)${note && `; ${note}`}`;
    return { subject: engine, good: true, text };
  } catch (error) {
    return { subject: engine, good: false, text: (error as Error).message.replace(`${engine}: `, '') };
  }
}

/** What the engine webgpu may compute on; where it cannot be opened, its own line says why. */
async function examineAdapters(): Promise<Finding[]> {
  const { adapterNames, describeAdapter, isSoftware } = await import('@pyramidal/webgpu');
  const names = await adapterNames().catch((): string[] => []);
  return names.map((name) => {
    return { subject: 'WebGPU adapter', good: !isSoftware(name), text: describeAdapter(name) };
  });
}
