/** Bodies that mean harm, or are broken. */
import { Random } from '@pyramidal/random';

/** A body and its headers. */
export interface HostileBody {
  readonly body: Uint8Array;
  readonly headers?: Record<string, string>;
}

/** A PNG of one pixel. */
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** Pictures with flipped bytes or cut, noise, too large a file, broken forms, and a PNG that declares 60000 x 60000 pixels. */
export function hostileBodies(pictures: readonly Uint8Array[]): HostileBody[] {
  const random = new Random([1]);
  const noise = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.integer(256));
  const spoilt = Array.from({ length: 150 }, (_, i) => {
    const body = Uint8Array.from(pictures[i % pictures.length]!);
    for (let k = 0; k <= i % 20; k++) body[random.integer(body.length)] = random.integer(256);
    return { body: body.subarray(0, i % 3 === 0 ? random.integer(body.length) : body.length) };
  });
  const huge = Buffer.from(PIXEL, 'base64');
  for (const offset of [16, 20]) huge.writeUInt32BE(60_000, offset);
  const form = (type: string) => ({ body: noise(100), headers: { 'content-type': type } });
  return [
    ...spoilt,
    ...Array.from({ length: 50 }, (_, i) => ({ body: noise(1000 * i + 1) })),
    { body: new Uint8Array(100e6) },
    { body: new Uint8Array(0) },
    form('multipart/form-data; boundary=x'),
    form('multipart/form-data'),
    { body: huge },
  ];
}
