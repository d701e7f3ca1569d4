/** The bytes of label PNGs: grey values, or the indices of a palette, which decoders replace by colours. */
import { crc32 } from 'node:zlib';

/** PNG's colour types. */
const COLOUR_TYPES: Readonly<Record<number, string>> = {
  0: 'grey',
  2: 'colour',
  3: 'palette',
  4: 'grey with alpha',
  6: 'colour with alpha',
};

const SIGNATURE_BYTES = 8;

export interface LabelPng {
  /** A grey PNG: the label's own, or one that shows the indices of a palette as grey. */
  readonly bytes: Uint8Array;
  /** What grey values are divided by: decoders stretch indices of fewer than 8 bits to 0..255. */
  readonly scale: number;
  readonly isPalette: boolean;
}

/** A label's bytes as a grey PNG. @throws Error that says what was received, without the file's name. */
export function asGreyPng(bytes: Uint8Array): LabelPng {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 26));
  const expected = 'expected an 8-bit grey or palette PNG as label, received';
  if (bytes.length < 26 || header.toString('latin1', 1, 4) !== 'PNG') throw new Error(`${expected} another format`);
  const [depth, type] = [header[24]!, COLOUR_TYPES[header[25]!] ?? 'unknown'];
  if (type === 'palette') return { bytes: paletteAsGrey(bytes), scale: 255 / (2 ** depth - 1), isPalette: true };
  if (depth === 8 && type === 'grey') return { bytes, scale: 1, isPalette: false };
  const advice = type.startsWith('colour')
    ? '; name the colours of the classes in data.colours, or write the index of each class as a grey value'
    : '';
  throw new Error(`${expected} ${depth}-bit ${type}${advice}`);
}

/** The same pixel data under a header that says grey. */
function paletteAsGrey(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [bytes.subarray(0, SIGNATURE_BYTES)];
  let hasPalette = false;
  for (let at = SIGNATURE_BYTES; at + 12 <= bytes.length;) {
    const size = 12 + view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const chunk = bytes.subarray(at, at + size);
    hasPalette ||= name === 'PLTE';
    if (name === 'IHDR') parts.push(greyHeader(chunk));
    if (name === 'IDAT' || name === 'IEND') parts.push(chunk);
    at += size;
  }
  if (!hasPalette) throw new Error('expected a palette in a palette PNG, received none');
  return Buffer.concat(parts);
}

function greyHeader(chunk: Uint8Array): Uint8Array {
  const header = Buffer.from(chunk);
  header[17] = 0;
  header.writeUInt32BE(crc32(header.subarray(4, 21)), 21);
  return header;
}
