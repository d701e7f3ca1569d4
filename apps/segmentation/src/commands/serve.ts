/** `pyramidal-segment serve`. */
import { mask, type Rle } from '@cocoeval/ts';
import { type Ask, readChoice, serveUntilStopped } from '@pyramidal/serving';
import type { ServeCommand } from '@pyramidal/task';
import type { SegmentationDefinition } from '../definition';
import { openSegmentorModel } from '../open-segmentor';
import type { SegmentedImage } from '../segmentation-work';

/** Answers HTTP requests until it is stopped: images in, the classes that they show and where out. */
export async function serve(
  definition: SegmentationDefinition,
  { service, ...command }: ServeCommand,
): Promise<number> {
  const { data, queue } = await openSegmentorModel(definition, { ...command, reader: 'serve' }, console.error);
  const model = {
    task: definition.task,
    classes: data.classes.map(({ name }) => name),
    predict: async (image: Uint8Array, { query, signal }: Ask) => {
      const form = readChoice(query, 'masks', ['rle', 'polygons', 'none']);
      return describe(await queue.run(image, 'image', signal), form);
    },
    close: () => queue.close(),
  };
  return serveUntilStopped(model, service);
}

/** `?masks=rle | polygons | none` says how the pixels of a class are written; polygons fill the holes in them. */
function describe({ width, height, map, segments }: SegmentedImage, form: 'rle' | 'polygons' | 'none'): object {
  const maskOf = (label: number): object => {
    if (form === 'none') return {};
    const rle: Rle = mask.encode({ height, width, data: map.map((own) => (own === label ? 1 : 0)) });
    return form === 'rle' ? { mask: rle } : { polygons: mask.toPolygons(rle) };
  };
  return { width, height, segments: segments.map((segment) => ({ ...segment, ...maskOf(segment.label) })) };
}
