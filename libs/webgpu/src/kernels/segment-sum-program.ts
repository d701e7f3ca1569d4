/** Sums by segment: a thread a value, which it adds to the sum of its segment. */
import type { WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu';
import { THREADS } from './webgpu-kernel';

/**
 * Adds rows x [S * width], float32 or int32, to `result` [segments * width] by their segmentIds int32 [S]; numbers of no
 * segment are left out. Devices add whole numbers only, so a float is exchanged until nothing has come between.
 */
export class SegmentSumProgram implements WebGPUProgram {
  readonly variableNames = ['x', 'segmentIds'];
  readonly uniforms = 'count : i32, width : i32, segments : i32,';
  readonly shaderKey: string;
  readonly atomic = true;
  readonly workgroupSize: [number, number, number] = [THREADS, 1, 1];
  readonly dispatch: [number, number, number];
  readonly dispatchLayout = { x: [0] };
  readonly outputShape: number[];
  private readonly isWhole: boolean;

  constructor(count: number, sums: number, dtype: 'float32' | 'int32') {
    this.isWhole = dtype === 'int32';
    this.shaderKey = `segmentSum ${dtype}`;
    this.dispatch = [Math.ceil(count / THREADS), 1, 1];
    this.outputShape = [sums];
  }

  getUserCode(): string {
    const add = this.isWhole
      ? 'atomicAdd(&result[at], x[index]);'
      : `var before = atomicLoad(&result[at]);
          loop {
            let after = bitcast<i32>(bitcast<f32>(before) + x[index]);
            let outcome = atomicCompareExchangeWeak(&result[at], before, after);
            if (outcome.exchanged) { break; }
            before = outcome.old_value;
          }`;
    return `
      fn main(index : i32) {
        if (index < uniforms.count) {
          let segment = segmentIds[index / uniforms.width];
          if (segment >= 0 && segment < uniforms.segments) {
            let at = segment * uniforms.width + index % uniforms.width;
            ${add}
          }
        }
      }
    `;
  }
}
