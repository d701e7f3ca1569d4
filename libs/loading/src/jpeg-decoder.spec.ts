import { join } from 'node:path';
import { decodeImage, encodeImage, useJpegDecoder } from '@pyramidal/images';
import { onEngines, openEngine } from '@pyramidal/testing';
import { decode } from '../fixtures/decode-worker';
import { WorkerPool } from './worker-pool';

const file = join(__dirname, '../fixtures/decode-worker.ts');
const GREY = join(__dirname, '../../images/fixtures/grey-decoder.cjs');

/** What threads make of a JPEG whose values are all 200. */
async function decodedInThreads(calls: number): Promise<{ jpeg: Uint8Array; decoded: readonly Uint8Array[] }> {
  const jpeg = await encodeImage({ width: 40, height: 30, data: new Uint8Array(3600).fill(200) }, 'jpeg');
  const pool = new WorkerPool({ file, name: 'decode', run: decode }, 2);
  try {
    return { jpeg, decoded: await Promise.all(Array.from({ length: calls }, () => pool.run([jpeg]))) };
  } finally {
    await pool.close();
  }
}

afterEach(() => useJpegDecoder(undefined));

it('has threads decode JPEGs with the decoder that is in use when they start', async () => {
  useJpegDecoder(GREY);
  const { decoded } = await decodedInThreads(4);
  expect(decoded.map((pixels) => pixels[0])).toEqual([128, 128, 128, 128]);
});

onEngines(
  'threads',
  () => {
    it('decode JPEGs with the decoder of the engine', async () => {
      useJpegDecoder((await openEngine('tensorflow')).jpegDecoder);
      const { jpeg, decoded } = await decodedInThreads(8);
      useJpegDecoder(undefined);
      const { data } = await decodeImage(jpeg);
      for (const pixels of decoded) expect(Buffer.compare(pixels, data)).toBe(0);
    });
  },
  ['tensorflow'],
);
