/**
 * What is computed otherwise on programs that imitate a card: at every barrier they switch between the threads of a group, which is
 * most of their work where values are few.
 */
import type { WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { TransposeProgram } from './kernels/transpose';

/** TensorFlow.js's number of its products in tiles, those of large matrices on cards, with two barriers a tile. */
const IN_TILES = 3;

/** Small products are computed as large ones are; others have groups of up to 256 threads for every value. */
export const multiplyInTiles = (): void => tf.env().set('WEBGPU_MATMUL_PROGRAM_TYPE', IN_TILES);

/** By the names of the package's programs, others that compute the same. */
const WITHOUT_BARRIERS: Readonly<Record<string, (program: WebGPUProgram) => WebGPUProgram>> = {
  ReduceProgram: inGroupsOfOne,
  SoftmaxProgram: inGroupsOfOne,
  ArgMinMaxProgram: (program) => (kindOf(program) === 'shared' ? inGroupsOfOne(program) : program),
  BinaryOpProgram: (program) => (kindOf(program) === 'shared' ? unshared(program) : program),
  TransposeSharedProgram: ({ outputShape: [height, width] }) => new TransposeProgram([width!, height!], [1, 0]),
};

/** The program itself, or one without barriers that computes the same. */
export const withoutBarriers = (program: WebGPUProgram): WebGPUProgram =>
  WITHOUT_BARRIERS[program.constructor.name]?.(program) ?? program;

/** Of a program with a group a value: a group of one has nobody to wait for. */
function inGroupsOfOne(program: WebGPUProgram): WebGPUProgram {
  return Object.assign(program, { workgroupSize: [1, 1, 1] });
}

/** Of a program that shares the shorter of its inputs within a group. */
function unshared(program: WebGPUProgram): WebGPUProgram {
  return Object.assign(program, { type: 'nonshared', shaderKey: `${program.shaderKey} nonshared` });
}

const kindOf = (program: WebGPUProgram): unknown => ('type' in program ? program.type : undefined);
