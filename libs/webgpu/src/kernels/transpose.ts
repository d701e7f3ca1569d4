/** Transposition on the WebGPU engine. */
import type { WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { THREADS, typed, type WebGpuKernel } from './webgpu-kernel';

/** The package's own kernel does not compile for integers and flags of more than two axes. */
export const transpose: WebGpuKernel = {
  name: tf.Transpose,
  create: (builtIn) => (call) => {
    const { inputs, attrs, backend } = typed<'x', tf.TransposeAttrs>(call);
    const { x } = inputs;
    if (x.dtype === 'float32' || x.shape.length <= 2) return builtIn(call);
    return backend.runWebGPUProgram(new TransposeProgram(x.shape, attrs.perm), [x], x.dtype);
  },
};

/** What the axes of a tensor are called in a program. */
const AXES = 'xyzwuv';

/** A thread a value, of two axes or more. */
export class TransposeProgram implements WebGPUProgram {
  readonly variableNames = ['x'];
  readonly size = true;
  readonly shaderKey: string;
  readonly workgroupSize: [number, number, number] = [THREADS, 1, 1];
  readonly dispatch: [number, number, number];
  readonly dispatchLayout: { x: number[] };
  readonly outputShape: number[];

  constructor(
    shape: readonly number[],
    private readonly perm: readonly number[],
  ) {
    this.shaderKey = `transpose ${perm.join()}`;
    this.outputShape = perm.map((axis) => shape[axis]!);
    this.dispatchLayout = { x: shape.map((_, axis) => axis) };
    this.dispatch = [Math.ceil(tf.util.sizeFromShape([...shape]) / THREADS), 1, 1];
  }

  getUserCode(): string {
    const last = this.perm.length - 1;
    const strideOf = (axis: number): string => `uniforms.xShapeStrides${last === 1 ? '' : `.${AXES[axis]}`}`;
    const steps = this.perm.map((axis, place) =>
      axis === last ? `place.${AXES[place]}` : `place.${AXES[place]} * ${strideOf(axis)}`,
    );
    return `
      fn main(index : i32) {
        if (index < uniforms.size) {
          let place = getCoordsFromIndex(index);
          result[index] = x[${steps.join(' + ')}];
        }
      }
    `;
  }
}
