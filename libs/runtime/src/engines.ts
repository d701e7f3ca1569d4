/** The engines by name. */
import { RuntimeError } from '@pyramidal/kernels/engine';

/** What a user may ask for; `auto` takes the fastest engine that is ready to use. */
export const ENGINE_CHOICES = ['auto', 'tensorflow', 'tensorflow-gpu', 'webgpu', 'wasm', 'cpu'] as const;

export type EngineChoice = (typeof ENGINE_CHOICES)[number];
export type Engine = Exclude<EngineChoice, 'auto'>;

/** @throws RuntimeError naming the known engines. */
export function parseEngine(name: string): EngineChoice {
  const choice = ENGINE_CHOICES.find((known) => known === name);
  if (!choice) throw new RuntimeError(`engine: expected one of ${ENGINE_CHOICES.join(', ')}, received '${name}'`);
  return choice;
}
