/** Pictures of a data set as a browser shows them: decoded here, encoded anew, so that no file's bytes are handed out. */
import { decodePicture, encodeImage } from '@pyramidal/images';
import { readSmallPicture } from '@pyramidal/report';
import type { PictureFile } from '../inspected';
import { ByteCache } from './byte-cache';
import { Turns } from './turns';

const THUMBNAIL_BYTES = 64 << 20;
const PICTURE_BYTES = 64 << 20;
const [THUMBNAIL_QUALITY, PICTURE_QUALITY] = [80, 95];

/** Pictures decoded at a time; the wall asks for many at once, and draws while it waits. */
const AT_A_TIME = 2;

export class Pictures {
  private readonly thumbnails = new ByteCache(THUMBNAIL_BYTES);
  private readonly wholes = new ByteCache(PICTURE_BYTES);
  private readonly turns = new Turns(AT_A_TIME);

  /** JPEG, which takes a tenth of WebP's time, of at most 320 pixels a side. @throws BrokenImageError */
  thumbnail({ file, decode }: PictureFile, gone: AbortSignal): Promise<Uint8Array> {
    return this.through(this.thumbnails, file, gone, async () =>
      encodeImage(await readSmallPicture(file, decode), 'jpeg', THUMBNAIL_QUALITY),
    );
  }

  /** JPEG of the picture, of very large ones a smaller one. @throws BrokenImageError */
  whole({ file, decode }: PictureFile, gone: AbortSignal): Promise<Uint8Array> {
    return this.through(this.wholes, file, gone, async () =>
      encodeImage(await decodePicture(file, decode), 'jpeg', PICTURE_QUALITY),
    );
  }

  private async through(
    cache: ByteCache,
    file: string,
    gone: AbortSignal,
    make: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const kept = cache.get(file);
    if (kept !== undefined) return kept;
    return this.turns.take(async () => {
      gone.throwIfAborted(); // nobody waits for it any more: the wall was scrolled on
      const made = cache.get(file) ?? (await make());
      cache.add(file, made);
      return made;
    });
  }
}
