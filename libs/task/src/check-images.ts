/** Decodes every image of a list once: its size, or why it cannot be read. */
import { BrokenImageError, checkImage, type DecodeOptions, type Size } from '@pyramidal/images';
import { countProgress } from './count-progress';

/** Images decoded at the same time. */
const AT_A_TIME = 4;

export interface CheckedImages {
  /** Of the sound ones, as they are decoded. */
  readonly sizes: readonly Size[];
  /** The others: file to reason. */
  readonly broken: ReadonlyMap<string, string>;
}

/** @param extra looked at with each image, such as its labels; what it throws as a BrokenImageError counts like a broken image. */
export async function checkImages<Item>(
  items: readonly Item[],
  {
    fileOf,
    decode,
    extra,
  }: {
    readonly fileOf: (item: Item) => string;
    readonly decode: DecodeOptions;
    readonly extra?: (item: Item, size: Size) => Promise<void>;
  },
): Promise<CheckedImages> {
  const sizes: Size[] = [];
  const broken = new Map<string, string>();
  const progress = countProgress(items.length, 'images');
  const check = async (item: Item): Promise<void> => {
    try {
      const size = await checkImage(fileOf(item), decode);
      await extra?.(item, size);
      sizes.push(size);
    } catch (error) {
      if (!(error instanceof BrokenImageError)) throw error;
      broken.set(error.image, error.reason);
    }
    progress.add();
  };
  try {
    for (let start = 0; start < items.length; start += AT_A_TIME) {
      await Promise.all(items.slice(start, start + AT_A_TIME).map(check));
    }
  } finally {
    progress.stop();
  }
  return { sizes, broken };
}
