/** A decoder of JPEGs that is faster than sharp, which an engine may bring. */
import { createRequire } from 'node:module';
import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';
import type { RgbImage } from '../rgb-image';
import type { Opened } from './pixels';

/**
 * Decodes a file to 8-bit RGB with libjpeg's usual settings.
 * @returns whether `pixels` hold the picture: false for one of another size, and for one that anything is to be said of.
 */
type DecodeJpeg = (file: Uint8Array, pixels: Uint8Array, width: number, height: number) => Promise<boolean>;

const MODULE = '@pyramidal/images: module that decodes JPEGs';

/**
 * Has JPEGs decoded by the function `decodeJpeg` of a module, in this thread and in those that it starts from now on; pixels, errors and
 * limits stay what they are.
 * @param file the module's absolute path; without it all pictures are sharp's.
 */
export function useJpegDecoder(file: string | undefined): void {
  setEnvironmentData(MODULE, file);
}

/** Pixels of a picture that is given to it: what it turns out to be unable to decode needs memory twice. */
const MOST_PIXELS = 10_000_000;

/** The pixels of a JPEG that is decoded row by row and has no fault; nothing of any other picture, nor where there is no decoder. */
export async function decodeFaultless({ file, header, orientation }: Opened): Promise<RgbImage | undefined> {
  const { format, channels, heldBytes, width, height } = header;
  const isPlain = format === 'JPEG' && (channels === 1 || channels === 3) && heldBytes === 0;
  const isTurned = orientation === 'exif' && header.orientation !== 1;
  if (!isPlain || isTurned || width * height > MOST_PIXELS || typeof file === 'string') return undefined;
  const decode = decoder();
  if (decode === undefined) return undefined;
  const data = Buffer.allocUnsafeSlow(3 * width * height);
  return (await decode(file, data, width, height)) ? { data, width, height } : undefined;
}

let loaded: { readonly file: string; readonly decode: DecodeJpeg } | undefined;

function decoder(): DecodeJpeg | undefined {
  const file = getEnvironmentData(MODULE) as string | undefined;
  if (file === undefined) return undefined;
  if (loaded?.file !== file) {
    const { decodeJpeg } = createRequire(__filename)(file) as { decodeJpeg: DecodeJpeg };
    loaded = { file, decode: decodeJpeg };
  }
  return loaded.decode;
}
