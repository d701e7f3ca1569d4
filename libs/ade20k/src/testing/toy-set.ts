/** A toy set in the ADE20K layout: five pictures of 40 x 30 with three classes. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blankImage, encodeImage, IMAGENET_NORMALISATION as normalisation } from '@pyramidal/images';
import { openSegmentationFolder, type SegmentationSample } from '../folder';
import { encodeLabels } from '../label-file';

export const CODING = { classes: 3, reduceZeroLabel: true };
export const EVALUATION = { scale: { longest: 96, shortest: 32 }, ratios: [1, 1.5], normalisation };

export interface ToySet {
  readonly root: string;
  /** Of the split `training`. */
  readonly samples: readonly SegmentationSample[];
  /** A picture whose left part is class 1, its right part class 2, the first row unlabelled. */
  writePair(split: string, name: string, shade: number): Promise<void>;
  remove(): Promise<void>;
}

export async function makeToySet(): Promise<ToySet> {
  const root = await mkdtemp(join(tmpdir(), 'ade20k-'));
  await writeFile(join(root, 'classes.json'), JSON.stringify(['a', { name: 'b', colour: [1, 2, 3] }, 'c']));
  const writePair: ToySet['writePair'] = async (split, name, shade) => {
    await mkdir(join(root, 'images', split), { recursive: true });
    await mkdir(join(root, 'annotations', split), { recursive: true });
    const picture = blankImage({ width: 40, height: 30 }, [40 * shade, 100, 255 - 40 * shade]);
    await writeFile(join(root, 'images', split, `${name}.jpg`), await encodeImage(picture, 'jpeg'));
    const data = Uint8Array.from({ length: 1200 }, (_, i) => (i < 40 ? 255 : i % 40 < 20 ? 0 : 1));
    const label = await encodeLabels({ data, width: 40, height: 30 }, CODING);
    await writeFile(join(root, 'annotations', split, `${name}.png`), label);
  };
  for (let i = 0; i < 5; i++) await writePair('training', `${i}`, i);
  const { samples } = (await openSegmentationFolder(root, { splits: ['training'] })).splits.get('training')!;
  return { root, samples, writePair, remove: () => rm(root, { recursive: true }) };
}
