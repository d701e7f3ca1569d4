/**
 * Our contender of the loader benchmark in a process of its own: `contender.ts WORKERS IMAGE...`. Reads lines of standard input and
 * answers each with a line of JSON: `bytes` or `floats` by what an epoch took, `digest` by what the bytes of the images are. Ends with the
 * input.
 */
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { decodeImage, useJpegDecoder } from '@pyramidal/images';
import { type BatchSource, openBatchSource } from '@pyramidal/loading';
import { openRuntime } from '@pyramidal/runtime';
import { type PixelKind, PREPARE_FOR_DETECTION, resizedBytes } from './prepare';

/** Images whose bytes are compared with the peer's, every other one mirrored. */
const COMPARED = 20;

async function main([workers, ...items]: string[]): Promise<void> {
  useJpegDecoder((await openRuntime({ engine: 'tensorflow' })).jpegDecoder);
  const open = (kind: PixelKind): BatchSource<number> =>
    openBatchSource({
      items,
      prepare: PREPARE_FOR_DETECTION,
      argumentsOf: (file, seed) => [file, kind, seed],
      collate: ({ samples }) => samples.length,
      collateCopies: true,
      batchSize: 2,
      seed: 0,
      shuffle: true,
      workers: Number(workers),
    });
  const sources = { bytes: open('bytes'), floats: open('floats') };
  let epoch = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = line === 'digest' ? await digest(items) : await measure(sources[line as PixelKind], epoch++);
    console.log(JSON.stringify(answer));
  }
  for (const source of Object.values(sources)) await source.close();
}

async function measure(source: BatchSource<number>, epoch: number): Promise<object> {
  const start = performance.now();
  const cpuStart = process.cpuUsage();
  let images = 0;
  for await (const count of source.batches({ epoch })) images += count;
  const { user, system } = process.cpuUsage(cpuStart);
  const wallMs = performance.now() - start;
  const peakMB = process.resourceUsage().maxRSS / 1024;
  return { wallMs: wallMs / images, cpuMs: (user + system) / 1000 / images, peakMB };
}

async function digest(files: readonly string[]): Promise<string> {
  const hash = createHash('sha1');
  for (const [i, file] of files.slice(0, COMPARED).entries()) {
    hash.update(resizedBytes(await decodeImage(file), i % 2 === 1).pixels);
  }
  return hash.digest('hex');
}

void main(process.argv.slice(2));
