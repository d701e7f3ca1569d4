/** What parameters draw their initial values from. */
import { sfc32 } from '@pyramidal/random';

// Bound once: drawing a large model's weights asks for them a hundred million times.
const { cos, imul, log, PI, sqrt } = Math;

/** A stream of pseudo-random numbers that its seed alone decides. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
}

/** sfc32 (Chris Doty-Humphrey, PractRand), seeded by splitmix32. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const splitmix = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) | 0;
  };
  const bits = sfc32(splitmix(), splitmix(), splitmix());
  const uniform = (): number => bits() / 2 ** 32;
  // Box-Muller; 1 - u keeps the logarithm finite.
  const normal = (): number => sqrt(-2 * log(1 - uniform())) * cos(2 * PI * uniform());
  return { uniform, normal };
}

/** FNV-1a, 32 bits, of the UTF-8 bytes of a text: turns a parameter's name into its own seed. */
export function hashText(text: string): number {
  let hash = 2166136261;
  for (const byte of new TextEncoder().encode(text)) hash = imul(hash ^ byte, 16777619);
  return hash >>> 0;
}
