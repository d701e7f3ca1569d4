/** Neighbours among the numbers of 32 bits. */

/** The least float32 above a positive one. */
export function nextFloat32(value: number): number {
  const floats = new Float32Array([value]);
  new Uint32Array(floats.buffer)[0]! += 1;
  return floats[0]!;
}
