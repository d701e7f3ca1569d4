/** How a spec of golden numbers begins: its fixture, its engine, and the forms in which it compares. */
import { readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { nhwcToNchw } from './golden-heads';
import { openDefaultEngine } from './on-engines';

/** The JSON `fixtures/NAME.json` of the library that a spec belongs to. @param folder the spec's `__dirname`. */
export function readFixture(folder: string, name: string): unknown {
  const library = folder.slice(0, folder.lastIndexOf(`${sep}src`));
  return JSON.parse(readFileSync(join(library, 'fixtures', `${name}.json`), 'utf8'));
}

/** Runs the tests of a file in the engine that this machine has; a test's tensors end with it. */
export function inEngine(): void {
  beforeAll(openDefaultEngine);
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());
}

/** The values of a map [N, H, W, C] in PyTorch's order. */
export function torchOrder(map: tf.Tensor): Float32Array {
  return nhwcToNchw(map.dataSync<'float32'>(), map.shape);
}

interface Described {
  state(): ReadonlyMap<string, { readonly torchShape: readonly number[] }>;
}

/** Official names and shapes of what a module holds. @param prefix its place in the whole model's names. */
export function stateShapes(module: Described, prefix = ''): [name: string, shape: readonly number[]][] {
  return [...module.state()].map(([name, { torchShape }]) => [prefix + name, torchShape]);
}
