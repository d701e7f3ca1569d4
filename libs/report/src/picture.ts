/** Pictures inside the page. */
import { encodeImage, type RgbImage } from '@pyramidal/images';
import { html, type Html } from './html';

/** Pictures that are looked at side by side. */
export interface PicturePair {
  readonly caption: string;
  readonly pictures: readonly { readonly name: string; readonly image: RgbImage }[];
}

/** Keeps 40 pairs of 320 pixels under 2 MB. */
const QUALITY = 70;

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
