/** Pictures inside the page. */
import {
  type DecodeOptions,
  decodePicture,
  encodeImage,
  keepRatioSize,
  resizeImage,
  type RgbImage,
  type Size,
} from '@pyramidal/images';
import { html, type Html } from './html';

/** Pictures that are looked at side by side. */
export interface PicturePair {
  readonly caption: string;
  readonly pictures: readonly { readonly name: string; readonly image: RgbImage }[];
}

/** The longer side of a picture in a page; 40 pairs of this size and quality stay under 2 MB. */
const SIDE = 320;
const QUALITY = 70;

/** The size of an image in a page. */
export const smallSize = (image: Size): Size => keepRatioSize(image, { shortest: SIDE, longest: SIDE });

/**
 * An image as it is shown in a page.
 * @throws BrokenImageError as `decodePicture` does.
 */
export async function readSmallPicture(file: string, decode: DecodeOptions): Promise<RgbImage> {
  const picture = await decodePicture(file, decode);
  return resizeImage(picture, { ...smallSize(picture), convention: 'opencv-bilinear' });
}

/** The pictures as WebP in the page itself. */
export async function picturePair({ caption, pictures }: PicturePair): Promise<Html> {
  const shown = await Promise.all(
    pictures.map(async ({ name, image }) => {
      const data = (await encodeImage(image, 'webp', QUALITY)).toString('base64');
      const { width, height } = image;
      return html`<img
        src="data:image/webp;base64,${data}"
        alt="${name}"
        title="${name}"
        width="${width}"
        height="${height}"
      />`;
    }),
  );
  return html`<figure>
    <div class="pair">${shown}</div>
    <figcaption>${caption}</figcaption>
  </figure>`;
}

/** Pairs in rows. */
export async function pictureWall(pairs: AsyncIterable<PicturePair>): Promise<Html> {
  const shown: Html[] = [];
  for await (const pair of pairs) shown.push(await picturePair(pair));
  return html`<div class="pictures">${shown}</div>`;
}
