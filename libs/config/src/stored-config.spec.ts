import { z } from 'zod';
import { loadConfig } from './load-config';
import { runtimeSchema } from './schema';
import { openStoredConfig } from './stored-config';

const schema = z.strictObject({ lr: z.number().min(0), runtime: runtimeSchema });
const WHERE = 'the configuration in w.safetensors';
const load = (text: string, set: readonly string[] = []) => loadConfig(schema, openStoredConfig(text, WHERE), { set });

describe('openStoredConfig', () => {
  it('reads what was resolved, but for the engine and the threads of the machine that did it', () => {
    const { config, text, source } = load('lr: 0.1\nruntime: { engine: wasm, threads: 64, compile: false }\n');
    expect(config).toEqual({ lr: 0.1, runtime: { engine: 'auto', precision: 'float32', xla: false, compile: false } });
    expect(source).toEqual({ file: WHERE, set: [] });
    expect(load(text).config).toEqual(config);
  });

  it('is overridden by --set', () => {
    const { config } = load('lr: 0.1\n', ['lr=2', 'runtime.engine=cpu', 'runtime.threads=3']);
    expect(config).toMatchObject({ lr: 2, runtime: { engine: 'cpu', threads: 3 } });
  });

  it.each([
    ['lr: -1\n', /^the configuration in w\.safetensors:1: lr: expected at least 0, received -1$/],
    ['lr: 1\nrate: 2\n', /^the configuration in w\.safetensors:2: rate: unknown key/],
    ['', /^the configuration in w\.safetensors: the file is empty$/],
    ['[]', /expected `key: value` lines/],
    ['lr: &a 1', /anchors and aliases are not used/],
    [`lr: 1\n# ${'x'.repeat(300_000)}`, /expected a configuration of at most 256 KiB/],
    ['lr: \u00001', /expected a YAML file in UTF-8, found the character 0 at offset 4/],
    ['__proto__: { lr: 1 }\nlr: 1', /__proto__: unknown key/],
  ])('says what is wrong, case %#', (text, expected) => {
    expect(() => load(text)).toThrow(expected);
  });
});
