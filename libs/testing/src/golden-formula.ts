/**
 * Tensors that a formula makes from their name, so that reference numbers need no weight files: FNV-1a of the name
 * seeds an integer hash of the element's index in PyTorch's order.
 */

/** `damped` scales position convolutions by 0.1, which keeps deep activations small. */
export type GoldenFormula = 'plain' | 'damped';

// Bound once: looking up a global inside Jest's context is slow, and every element needs three products.
const { imul } = Math;

const POSITION_CONV = /(^|\.)cpe\d?\.proj\.weight$/;

/** Float32 values of the tensor `name` with PyTorch's `shape`, in PyTorch's order. */
export function goldenTensor(name: string, shape: readonly number[], formula: GoldenFormula = 'plain'): Float32Array {
  const values = new Float32Array(shape.reduce((product, length) => product * length, 1));
  const seed = fnv1a(name);
  const { centre, spread } = valueRange(name, shape);
  const damping = formula === 'damped' && POSITION_CONV.test(name) ? 0.1 : 1;
  for (let index = 0; index < values.length; index++) values[index] = (centre + spread * noise(index, seed)) * damping;
  return values;
}

/** The bare noise of the tensor `name`, in [-1, 1) and double precision: what inputs and labels of heads are made of. */
export function goldenNoise(name: string, shape: readonly number[]): Float64Array {
  const seed = fnv1a(name);
  const size = shape.reduce((product, length) => product * length, 1);
  return Float64Array.from({ length: size }, (_, index) => noise(index, seed));
}

/** What `fillWithGolden` needs of a module. */
export interface GoldenTarget {
  state(): Map<string, { readonly torchShape: readonly number[]; assignTorch(values: Float32Array): void }>;
}

/** Gives every parameter and buffer of a module its formula's values. */
export function fillWithGolden(module: GoldenTarget, formula: GoldenFormula = 'plain'): void {
  for (const [name, parameter] of module.state()) {
    parameter.assignTorch(goldenTensor(name, parameter.torchShape, formula));
  }
}

/** Reorders an image batch [N, C, H, W] into [N, H, W, C], and back with the sizes of the other order. */
export function nchwToNhwc(values: Float32Array, [n = 0, c = 0, h = 0, w = 0]: readonly number[]): Float32Array {
  const result = new Float32Array(values.length);
  for (let image = 0, from = 0; image < n; image++) {
    for (let channel = 0; channel < c; channel++) {
      for (let cell = 0; cell < h * w; cell++) result[(image * h * w + cell) * c + channel] = values[from++]!;
    }
  }
  return result;
}

/** The index in [N, H, W, C] of the element that stands at `flat` in [N, C, H, W]. */
export function nhwcIndex(flat: number, [, c = 0, h = 0, w = 0]: readonly number[]): number {
  const cells = h * w;
  const cell = flat % cells;
  const channel = Math.floor(flat / cells) % c;
  const image = Math.floor(flat / (cells * c));
  return (image * cells + cell) * c + channel;
}

/** Positions that golden files sample: floor(k * size / count) for k = 0 .. count - 1. */
export function samplePositions(size: number, count: number): number[] {
  return Array.from({ length: count }, (_, k) => Math.floor((k * size) / count));
}

/** Values lie in centre +- spread. */
function valueRange(name: string, shape: readonly number[]): { centre: number; spread: number } {
  const kind = name.slice(name.lastIndexOf('.') + 1);
  const isWeight = kind.endsWith('weight');
  if (isWeight && shape.length >= 2) {
    const fanIn = shape.slice(1).reduce((product, length) => product * length, 1);
    return { centre: 0, spread: Math.sqrt(3 / fanIn) };
  }
  if (isWeight || kind === 'running_var') return { centre: 1, spread: 0.1 };
  if (/^(input|cotangent)(\.|$)/.test(name)) return { centre: 0, spread: 1 };
  return { centre: 0, spread: 0.1 };
}

function noise(index: number, seed: number): number {
  let h = (imul(index, 0x9e3779b1) + seed) >>> 0;
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  h = (h ^ (h >>> 16)) >>> 0;
  return (2 * h) / 2 ** 32 - 1;
}

function fnv1a(text: string): number {
  let hash = 2166136261;
  for (const byte of new TextEncoder().encode(text)) hash = imul(hash ^ byte, 16777619);
  return hash >>> 0;
}
