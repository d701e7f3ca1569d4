/** Label files as paint programs write them: indices of a palette. */
import { crc32, deflateSync } from 'node:zlib';

/** A PNG with a palette, of as few bits as its indices need. */
export function palettePng(indices: readonly number[], width: number, depth: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    crc.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, crc]);
  };
  const height = indices.length / width;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, 3], 8);
  const rows = Array.from({ length: height }, (_, y) => {
    const row = Buffer.alloc(1 + Math.ceil((width * depth) / 8));
    for (let x = 0; x < width; x++) {
      row[1 + ((x * depth) >> 3)]! |= indices[y * width + x]! << (8 - depth - ((x * depth) & 7));
    }
    return row;
  });
  const colours = Buffer.from(Array.from({ length: 3 * 2 ** depth }, (_, i) => (i * 37) % 256));
  return Buffer.concat([
    ...[Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', header), chunk('PLTE', colours)],
    ...[chunk('tRNS', Buffer.of(0)), chunk('IDAT', deflateSync(Buffer.concat(rows))), chunk('IEND', Buffer.alloc(0))],
  ]);
}
