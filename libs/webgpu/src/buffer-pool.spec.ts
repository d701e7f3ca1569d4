/** Buffers that are used again, on a device that only counts them. */
import { BufferPool } from './buffer-pool';

const USAGE = 1;

/** A device that counts what it holds. */
function fakeDevice() {
  const held = new Set<GPUBuffer>();
  const createBuffer = ({ size, usage }: GPUBufferDescriptor): GPUBuffer => {
    const buffer = { size, usage, destroy: () => held.delete(buffer) } as unknown as GPUBuffer;
    held.add(buffer);
    return buffer;
  };
  const bytes = () => [...held].reduce((sum, { size }) => sum + size, 0);
  return { createBuffer, held, bytes };
}

describe('BufferPool', () => {
  it('gives a buffer again to the next one who needs that size', () => {
    const pool = new BufferPool(fakeDevice());
    const first = pool.acquireBuffer(8, USAGE);
    const second = pool.acquireBuffer(8, USAGE);
    expect(second).not.toBe(first);
    pool.releaseBuffer(first);
    expect(pool.acquireBuffer(8, USAGE, false, false)).not.toBe(first);
    expect(pool.acquireBuffer(8, USAGE + 1)).not.toBe(first);
    expect(pool.acquireBuffer(8, USAGE)).toBe(first);
    expect([pool.getNumUsedBuffers(), pool.getNumFreeBuffers()]).toEqual([4, 0]);
  });

  it('holds twice as much as was in use at most, however many sizes there are', () => {
    const device = fakeDevice();
    const pool = new BufferPool(device);
    for (let size = 1000; size < 1200; size++) {
      const buffers = [0, 1, 2].map((i) => pool.acquireBuffer(size + i, USAGE));
      buffers.forEach((buffer) => pool.releaseBuffer(buffer));
      expect(device.bytes()).toBeLessThanOrEqual(2 * 3 * (size + 1));
      expect(pool).toMatchObject({ numBytesUsed: 0, numBytesAllocated: device.bytes() });
    }
  });

  it('parts with the sizes that were unused for longest', () => {
    const device = fakeDevice();
    const pool = new BufferPool(device);
    const [first, second] = [4, 6].map((size) => pool.acquireBuffer(size, USAGE));
    for (const buffer of [second!, first!]) pool.releaseBuffer(buffer);
    const third = pool.acquireBuffer(10, USAGE);
    pool.releaseBuffer(third);
    expect(device.held.size).toBe(3);
    const fourth = pool.acquireBuffer(5, USAGE);
    expect([...device.held]).toEqual([first, third, fourth]);
  });

  it('gives everything back at its end', () => {
    const device = fakeDevice();
    const pool = new BufferPool(device);
    pool.releaseBuffer(pool.acquireBuffer(8, USAGE));
    const used = pool.acquireBuffer(16, USAGE);
    pool.dispose();
    pool.releaseBuffer(used);
    expect(device.held.size).toBe(0);
    expect(pool).toMatchObject({ numBytesUsed: 0, numBytesAllocated: 0 });
  });
});
