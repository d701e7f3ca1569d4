/** TensorFlow.js's WebGPU backend, in which no fault of the device passes in silence. */
import { RuntimeError } from '@pyramidal/kernels/engine';
import type * as tf from '@tensorflow/tfjs-core';
import { WebGPUBackend, type WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu';
import { BufferPool } from './buffer-pool';
import { corrected } from './corrected';
import { withoutBarriers } from './imitation';

const MIB = 2 ** 20;
const BYTES_PER_VALUE = 4;

/**
 * Dawn tells of refused operations, full memory and lost devices by events, and results are zeros then: here the next
 * operation or reading fails with the first of these faults.
 */
export class DeviceBackend extends WebGPUBackend {
  private fault: RuntimeError | undefined;
  /** What the device is being asked for. */
  private asked = 'an operation';

  /** @param isImitated whether a program imitates the device. */
  constructor(
    device: GPUDevice,
    info: GPUAdapterInfo,
    private readonly isImitated: boolean,
  ) {
    super(device, info);
    Object.assign(this, { bufferManager: new BufferPool(device) });
    device.addEventListener('uncapturederror', (event) => {
      event.preventDefault();
      this.fault ??= this.describe((event as GPUUncapturedErrorEvent).error);
    });
    void device.lost.then(({ message }) => {
      this.fault ??= new RuntimeError(
        `webgpu: the device is lost: ${firstLine(message)}; training goes on from its last checkpoint with --resume`,
      );
    });
  }

  override async read(dataId: object): Promise<tf.BackendValues> {
    this.requireSound();
    try {
      return await super.read(dataId);
    } catch (error) {
      await new Promise((resolve) => setImmediate(resolve)); // what ended the reading is told after it
      throw this.fault ?? error;
    } finally {
      this.requireSound();
    }
  }

  /** @throws RuntimeError where the values are on the card alone. */
  override readSync(dataId: object): tf.BackendValues {
    this.requireSound();
    const { values } = this.tensorMap.get(dataId);
    if (values) return values;
    throw new RuntimeError(
      'webgpu: values are read asynchronously alone (`await tensor.data()`); what reads them at once needs another engine',
    );
  }

  override uploadToGPU(dataId: object): void {
    const { shape } = this.tensorMap.get(dataId);
    const bytes = shape.reduce((product, length) => product * length, BYTES_PER_VALUE);
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (bytes > most) {
      throw new RuntimeError(
        `webgpu: a tensor of ${inMiB(bytes)} is larger than the ${inMiB(most)} that the adapter allows; ` +
          'use a smaller batch or input',
      );
    }
    super.uploadToGPU(dataId);
  }

  override runWebGPUProgram(program: WebGPUProgram, ...others: ProgramArguments): tf.TensorInfo {
    this.requireSound();
    this.asked = program.constructor.name;
    const right = corrected(program);
    const output = super.runWebGPUProgram(this.isImitated ? withoutBarriers(right) : right, ...others);
    this.requireSound();
    return output;
  }

  private requireSound(): void {
    if (this.fault !== undefined) throw this.fault;
  }

  private describe(error: GPUError): RuntimeError {
    const held = inMiB(this.memory().numBytesAllocatedInGPU);
    if (error.constructor.name === 'GPUOutOfMemoryError') {
      return new RuntimeError(`webgpu: the card's memory is full, ${held} of it here; use a smaller batch or input`);
    }
    return new RuntimeError(`webgpu: the device refused ${this.asked}: ${firstLine(error.message)}`);
  }
}

type ProgramArguments =
  Parameters<WebGPUBackend['runWebGPUProgram']> extends [unknown, ...infer Others] ? Others : never;

const firstLine = (text: string): string => text.split('\n', 1)[0]!;

const inMiB = (bytes: number): string => `${Math.ceil(bytes / MIB)} MiB`;
