/** `pyramidal-detect serve`. */
import { type Ask, readChoice, readShare, serveUntilStopped } from '@pyramidal/serving';
import type { ServeCommand } from '@pyramidal/task';
import type { DetectionDefinition } from '../definition';
import type { DetectedObject, DetectedObjects } from '../detection-work';
import { openDetectorModel } from '../open-detector';

/** Answers HTTP requests until it is stopped: images in, objects out. */
export async function serve(definition: DetectionDefinition, { service, ...command }: ServeCommand): Promise<number> {
  const { data, queue } = await openDetectorModel(definition, { ...command, reader: 'serve' }, { say: console.error });
  const model = {
    task: definition.task,
    classes: data.classes.map(({ name }) => name),
    predict: async (image: Uint8Array, ask: Ask) => {
      const write = writerOf(ask.query);
      return write(await queue.run(image, 'image', ask.signal));
    },
    close: () => queue.close(),
  };
  return serveUntilStopped(model, service);
}

/** `?score=0.5` leaves out what is less likely; `?masks=rle | polygons | none` says how masks are written. */
function writerOf(query: Ask['query']): (found: DetectedObjects) => object {
  const score = readShare(query, 'score', 0);
  const masks = readChoice(query, 'masks', ['rle', 'polygons', 'none']);
  return ({ objects, ...image }) => ({
    ...image,
    objects: objects
      .filter((object) => object.score >= score)
      .map((object) => ({ ...withoutMask(object), ...maskOf(object, masks) })),
  });
}

function withoutMask({ mask: _, ...object }: DetectedObject): object {
  return object;
}

function maskOf({ mask }: DetectedObject, form: 'rle' | 'polygons' | 'none'): object {
  if (mask === undefined || form === 'none') return {};
  return form === 'rle' ? { mask } : { polygons: mask.toPolygons() };
}
