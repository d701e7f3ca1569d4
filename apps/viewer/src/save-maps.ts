/** Feature maps as a file to keep. */
import { LEVELS } from '@pyramidal/nn';
import type { FeatureMaps } from './features';

/** Hands the maps to the browser's downloads as a safetensors file: C2 to C5, float32 [height, width, channels]. */
export function saveMaps(maps: FeatureMaps): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(toSafetensors(maps)));
  link.download = 'features.safetensors';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function toSafetensors(maps: FeatureMaps): BlobPart[] {
  let position = 0;
  const entries = LEVELS.map((level) => {
    const { shape, values } = maps[level];
    return [level, { dtype: 'F32', shape, data_offsets: [position, (position += values.byteLength)] }];
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  const header = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const length = new BigUint64Array([BigInt(header.length)]);
  return [length, header, ...LEVELS.map((level) => maps[level].values as Float32Array<ArrayBuffer>)];
}
