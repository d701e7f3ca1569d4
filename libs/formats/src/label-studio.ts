/** Label Studio's labels, its "JSON" export (https://labelstud.io/guide/export): a list of tasks; places in per cent of the image. */
import { closeSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { JsonRecords } from '@cocoeval/ts';
import { FileError, openRegularFile, PendingFile } from '@pyramidal/files';
import { z } from 'zod';
import { asPath, ImageFinder } from './image-finder';
import {
  boundsOf,
  DEFAULT_SPLIT,
  type LabelFormat,
  type LabelledImage,
  type LabelledObject,
  type LabelSet,
  type ReadOptions,
  tidy,
  usedCategories,
} from './label-set';
import { Losses } from './losses';
import { placeImage } from './place-images';

export const labelStudio: LabelFormat = {
  source: 'a JSON file, the "JSON" export',
  open: openLabelStudio,
  write: writeLabelStudio,
  written: (out, split) => ({ source: join(out, `${split}.json`), images: join(out, 'images', split) }),
};

const CHUNK_BYTES = 1 << 16;

const names = z.array(z.string()).optional();

const resultSchema = z.looseObject({
  id: z.string().optional(),
  type: z.string(),
  original_width: z.number().optional(),
  original_height: z.number().optional(),
  image_rotation: z.number().optional(),
  value: z
    .looseObject({
      ...{ x: z.number().optional(), y: z.number().optional() },
      ...{ width: z.number().optional(), height: z.number().optional() },
      rotation: z.number().optional(),
      points: z.array(z.tuple([z.number(), z.number()])).optional(),
      closed: z.boolean().optional(),
      rectanglelabels: names,
      polygonlabels: names,
      labels: names,
    })
    .optional(),
});

const annotationSchema = z.looseObject({ was_cancelled: z.boolean().optional(), result: z.array(resultSchema) });

const taskSchema = z.looseObject({
  id: z.union([z.number(), z.string()]).optional(),
  data: z.record(z.string(), z.unknown()),
  annotations: z.array(annotationSchema),
});

type Task = z.output<typeof taskSchema>;
type Result = z.output<typeof resultSchema>;

/** Answers that are about the whole image or beside the objects. */
const BESIDE = new Set(['choices', 'textarea', 'taxonomy', 'rating', 'number', 'relation', 'labels', 'datetime']);

async function openLabelStudio(
  source: string,
  { images, split = DEFAULT_SPLIT, classes }: ReadOptions,
): Promise<LabelSet> {
  const finder = new ImageFinder(images);
  const splits = [{ name: split, images: (losses: Losses) => readTasks(source, finder, losses) }];
  return { categories: classes ?? (await usedCategories(splits, new Losses())), splits };
}

async function* readTasks(file: string, finder: ImageFinder, losses: Losses): AsyncGenerator<LabelledImage> {
  let number = 0;
  for (const value of recordsOf(file)) {
    const record = `task ${taskId(value) ?? number}`;
    number++;
    const task = checkTask(value, `${file}: ${record}`);
    const lose = (field: string, reason: string): void => losses.add('image', { file, record, field, reason });
    const [first, ...others] = task.annotations.filter(({ was_cancelled }) => was_cancelled !== true);
    if (first === undefined) {
      lose('annotations', 'the task was skipped, or nobody has labelled it yet');
      continue;
    }
    if (others.length > 0)
      losses.add('field', { file, record, field: 'annotations', reason: 'of several people the first one counts' });
    const measured = first.result.find(({ original_width }) => original_width !== undefined);
    const size = { width: measured?.original_width ?? 0, height: measured?.original_height ?? 0 };
    const name = nameOf(task, finder, `${file}: ${record}`);
    const image = await finder.locate({ name, size, file, record }, losses);
    if (image !== undefined)
      yield { ...image, file, record, objects: readResults(first.result, image, file, record, losses) };
  }
}

/** Elements of a file's list, one by one, however long it is. */
function* recordsOf(file: string): Generator<unknown> {
  const waiting: unknown[] = [];
  const reader = new JsonRecords(
    {
      list: (key) => {
        if (key !== null) throw new FileError(file, 'expected a list of tasks, received an object');
      },
      record: (_, element) => void waiting.push(element),
      value: () => {
        throw new FileError(file, 'expected a list of tasks, received an object');
      },
    },
    file,
  );
  const { descriptor } = openRegularFile(file);
  try {
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (let size = readSync(descriptor, chunk); size > 0; size = readSync(descriptor, chunk)) {
      reader.push(chunk.subarray(0, size));
      yield* waiting.splice(0);
    }
    reader.end();
  } finally {
    closeSync(descriptor);
  }
}

const taskId = (value: unknown): unknown => (value as { readonly id?: unknown } | null)?.id;

function checkTask(value: unknown, where: string): Task {
  const fields = Object.keys(value ?? {});
  if (!fields.includes('annotations') && fields.includes('annotator'))
    throw new FileError(where, 'expected the export "JSON", received "JSON-MIN"');
  const checked = taskSchema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new FileError(where, `${issue!.path.map(String).join('.')}: ${issue!.message}`);
}

/** The image of a task: its own address, or what is left of it without the letters that an upload adds. */
function nameOf({ data }: Task, finder: ImageFinder, where: string): string {
  const texts = Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const address = (texts.find(([key]) => key === 'image') ??
    texts.find(([, text]) => /\.\w{3,4}($|\?)/.test(text)))?.[1];
  if (address === undefined) throw new FileError(where, 'data: expected the address of an image, found none');
  const name = asPath(
    withoutEscapes(/[?&]d=([^&]*)/.exec(address)?.[1] ?? address.replace(/^\w+:\/\/[^/]*/, '').replace(/\?.*$/, '')),
  );
  if (finder.folder === undefined || finder.find(name, where) !== undefined) return name;
  const uploaded = name.replace(/(^|\/)[0-9a-f]{8}-([^/]*)$/, '$1$2');
  return finder.find(uploaded, where) === undefined ? name : uploaded;
}

function withoutEscapes(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    // A per cent sign that escapes nothing is part of the name.
    if (error instanceof URIError) return text;
    throw error;
  }
}

function readResults(
  results: readonly Result[],
  size: { readonly width: number; readonly height: number },
  file: string,
  task: string,
  losses: Losses,
): LabelledObject[] {
  // Where shapes and labels are two controls, they are two results of one id.
  const labels = new Map(
    results.flatMap(({ id, type, value }) => (type === 'labels' && id ? [[id, value?.labels]] : [])),
  );
  return results.flatMap((result, i) => {
    const record = `result ${i + 1}`;
    const where = { file, record: `${task}, ${record}` };
    const { type, id, value = {}, image_rotation = 0 } = result;
    if (BESIDE.has(type)) {
      if (type !== 'labels') losses.add('field', { ...where, field: type, reason: 'has no place in COCO' });
      return [];
    }
    const refusal = refusalOf(type, value, image_rotation);
    if (refusal !== undefined) {
      losses.add('object', { ...where, ...refusal });
      return [];
    }
    const found = value.rectanglelabels ?? value.polygonlabels ?? value.labels ?? labels.get(id ?? '') ?? [];
    const [category, ...others] = found as readonly string[];
    if (category === undefined) {
      losses.add('object', { ...where, field: 'value', reason: 'the shape has no label' });
      return [];
    }
    if (others.length > 0)
      losses.add('field', { ...where, field: 'value', reason: 'an object has one class, the first one counts' });
    const common = { category, crowd: false, attributes: {}, record };
    return [{ ...common, ...readShape(value, size, `${file}: ${where.record}: value`) }];
  });
}

function refusalOf(
  type: string,
  { rotation = 0, closed }: NonNullable<Result['value']>,
  imageRotation: number,
): { readonly field: string; readonly reason: string } | undefined {
  if (!['rectanglelabels', 'rectangle', 'polygonlabels', 'polygon'].includes(type))
    return { field: 'type', reason: `'${type}' has no place in COCO` };
  if (imageRotation !== 0) return { field: 'image_rotation', reason: 'the image was turned while it was labelled' };
  if (rotation !== 0) return { field: 'rotation', reason: 'rotated boxes have no place in COCO' };
  if (closed === false) return { field: 'closed', reason: 'lines have no place in COCO' };
  return undefined;
}

function readShape(
  { x, y, width: w, height: h, points }: NonNullable<Result['value']>,
  { width, height }: { readonly width: number; readonly height: number },
  where: string,
): Pick<LabelledObject, 'box' | 'segmentation'> {
  const [across, down] = [width / 100, height / 100];
  if (points !== undefined) {
    if (points.length < 3) throw new FileError(where, `points: expected at least 3, received ${points.length}`);
    const polygon = points.flatMap(([left, top]) => [tidy(left * across), tidy(top * down)]);
    return { box: boundsOf([polygon]), segmentation: [polygon] };
  }
  if (x === undefined || y === undefined || w === undefined || h === undefined)
    throw new FileError(where, 'expected x, y, width and height, or points');
  return { box: [tidy(x * across), tidy(y * down), tidy(w * across), tidy(h * down)], segmentation: undefined };
}

async function writeLabelStudio(
  { splits }: LabelSet,
  out: string,
  losses: Losses,
  { boxesOnly = false },
): Promise<void> {
  for (const { name, images } of splits) {
    const file = new PendingFile(join(out, `${name}.json`));
    try {
      let id = 0;
      for await (const image of images(losses)) {
        placeImage(image, join(out, 'images', name));
        file.write(`${id === 0 ? '[' : ','}\n${JSON.stringify(describeTask(image, ++id, boxesOnly, losses))}`);
      }
      file.write(id === 0 ? '[]\n' : '\n]\n');
      file.complete();
    } finally {
      file.discard();
    }
  }
}

function describeTask(image: LabelledImage, id: number, boxesOnly: boolean, losses: Losses): object {
  const address = `/data/local-files/?d=${image.name.split('/').map(encodeURIComponent).join('/')}`;
  const result = image.objects.flatMap((object, i) =>
    describeObject(object, `${id}-${i + 1}`, image, boxesOnly, losses),
  );
  return { id, data: { image: address }, annotations: [{ was_cancelled: false, result }] };
}

function describeObject(
  object: LabelledObject,
  id: string,
  { width, height, file, record }: LabelledImage,
  boxesOnly: boolean,
  losses: Losses,
): object[] {
  const { category, crowd, box, attributes } = object;
  const segmentation = boxesOnly ? undefined : object.segmentation;
  const where = { file, record: [record, object.record].filter((part) => part !== '').join(', ') };
  if (crowd) {
    losses.add('object', { ...where, field: 'iscrowd', reason: 'Label Studio has no regions of many objects' });
    return [];
  }
  for (const field of Object.keys(attributes)) {
    losses.add('field', { ...where, field, reason: 'Label Studio has no attributes of shapes' });
  }
  const common = {
    ...{ id, from_name: 'label', to_name: 'image', image_rotation: 0 },
    ...{ original_width: width, original_height: height },
  };
  const [across, down] = [100 / width, 100 / height];
  const polygon = Array.isArray(segmentation) && segmentation.length === 1 ? (segmentation[0] as number[]) : undefined;
  if (polygon !== undefined) {
    const points = Array.from({ length: polygon.length / 2 }, (_, i) => [polygon[2 * i]! * across, polygon[2 * i + 1]! * down]); // prettier-ignore
    return [{ ...common, type: 'polygonlabels', value: { points, closed: true, polygonlabels: [category] } }];
  }
  if (segmentation !== undefined) {
    const reason = Array.isArray(segmentation)
      ? 'a Label Studio object is one polygon'
      : 'run lengths of Label Studio are not written';
    losses.add('mask', { ...where, field: 'segmentation', reason });
  }
  const [x, y, w, h] = box;
  const value = { x: x * across, y: y * down, width: w * across, height: h * down, rotation: 0 };
  return [{ ...common, type: 'rectanglelabels', value: { ...value, rectanglelabels: [category] } }];
}
