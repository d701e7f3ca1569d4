/** The device's buffers, used again: in place of TensorFlow.js's own manager, which gives none back as long as a program runs. */
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

type BufferManager = Pick<
  WebGPUBackend['bufferManager'],
  | 'numBytesUsed'
  | 'numBytesAllocated'
  | 'acquireBuffer'
  | 'releaseBuffer'
  | 'getNumUsedBuffers'
  | 'getNumFreeBuffers'
  | 'dispose'
>;

/** All buffers together, as a multiple of the most bytes that were in use at a time. */
const MOST_HELD = 2;

/**
 * Inputs of other sizes need buffers of other sizes: those unused for longest give way to new ones, so that memory is bounded
 * by what was in use at a time, however many sizes there are.
 */
export class BufferPool implements BufferManager {
  numBytesUsed = 0;
  numBytesAllocated = 0;
  private mostUsed = 0;
  private readonly used = new Set<GPUBuffer>();
  /** By size and usage, those unused for longest first. */
  private readonly free = new Map<string, GPUBuffer[]>();

  constructor(private readonly device: Pick<GPUDevice, 'createBuffer'>) {}

  /** @param reuse whether one that was used before will do. */
  acquireBuffer(size: number, usage: GPUBufferUsageFlags, mappedAtCreation = false, reuse = true): GPUBuffer {
    const known = reuse ? this.free.get(keyOf({ size, usage }))?.pop() : undefined;
    const buffer = known ?? this.create({ size, usage, mappedAtCreation });
    this.used.add(buffer);
    this.numBytesUsed += size;
    this.mostUsed = Math.max(this.mostUsed, this.numBytesUsed);
    return buffer;
  }

  /** @param reuse whether it is kept for others. */
  releaseBuffer(buffer: GPUBuffer, reuse = true): void {
    if (!this.used.delete(buffer)) return; // after `dispose`
    this.numBytesUsed -= buffer.size;
    if (reuse) this.keep(buffer);
    else this.destroy(buffer);
  }

  getNumUsedBuffers(): number {
    return this.used.size;
  }

  getNumFreeBuffers(): number {
    return [...this.free.values()].reduce((count, buffers) => count + buffers.length, 0);
  }

  dispose(): void {
    for (const buffer of [...this.used, ...[...this.free.values()].flat()]) this.destroy(buffer);
    this.used.clear();
    this.free.clear();
    this.numBytesUsed = 0;
  }

  private create(descriptor: GPUBufferDescriptor): GPUBuffer {
    this.makeRoom(descriptor.size);
    const buffer = this.device.createBuffer(descriptor);
    this.numBytesAllocated += descriptor.size;
    return buffer;
  }

  /** Buffers that are free are in no command that waits to be submitted: they may go at any time. */
  private makeRoom(size: number): void {
    const most = MOST_HELD * Math.max(this.mostUsed, this.numBytesUsed + size) - size;
    for (const [key, buffers] of this.free) {
      while (this.numBytesAllocated > most && buffers.length > 0) this.destroy(buffers.pop()!);
      if (buffers.length > 0) return;
      this.free.delete(key);
    }
  }

  /** As the size that was used last. */
  private keep(buffer: GPUBuffer): void {
    const key = keyOf(buffer);
    const buffers = this.free.get(key) ?? [];
    buffers.push(buffer);
    this.free.delete(key);
    this.free.set(key, buffers);
  }

  private destroy(buffer: GPUBuffer): void {
    this.numBytesAllocated -= buffer.size;
    buffer.destroy();
  }
}

const keyOf = ({ size, usage }: Pick<GPUBuffer, 'size' | 'usage'>): string => `${size} ${usage}`;
