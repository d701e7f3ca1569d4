/** Results of many images, in their order, as they come. */
import { setMaxListeners } from 'node:events';
import { BrokenImageError, type ImageSource } from '@pyramidal/images';
import type { ImageQueue } from './image-queue';

export interface CallOptions {
  /** Ends the call: what waits is left out, and the call fails with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface StreamOptions extends CallOptions {
  /** Told of an image that cannot be read, which is left out then; by default the error ends the stream. */
  readonly onBroken?: (error: BrokenImageError, index: number) => void;
}

/** A result, and whose it is. */
export type Found<Result> = Result & {
  /** As it was given. */
  readonly image: ImageSource;
  /** Its place among the images, from 0. */
  readonly index: number;
};

/** A result for each image of a list that is written out; a list of results for any other. */
export type FoundIn<Given extends Images, Result> = Given extends readonly ImageSource[]
  ? { readonly [Place in keyof Given]: Found<Result> }
  : readonly Found<Result>[];

/** Paths, bytes and pixels, in any mixture. */
export type Images = Iterable<ImageSource> | AsyncIterable<ImageSource>;

/** What runs images: the queue of an opened model. */
export type ImageRunner<Result> = Pick<ImageQueue<unknown, Result>, 'run' | 'capacity'>;

/**
 * Finds what is in each image. As many as the queue holds are read ahead of the result that is taken, and no more; a reader who
 * stops leaves nothing behind.
 * @throws BrokenImageError unless `onBroken` is told; the signal's reason; what `images` throws.
 */
export async function* streamImages<Result extends object>(
  queue: ImageRunner<Result>,
  images: Images,
  { signal, onBroken }: StreamOptions = {},
): AsyncGenerator<Found<Result>, void, void> {
  const stop = new AbortController();
  const own = AbortSignal.any(signal === undefined ? [stop.signal] : [signal, stop.signal]);
  setMaxListeners(0, own); // one for each image in work
  const source = iteratorOf(images);
  const pull = () => unlessAborted(source.next(), own);
  const ahead: Promise<Found<Result>>[] = [];
  const begin = (image: ImageSource, index: number): void => {
    const found = queue.run(image, nameOf(image, index), own).then((result) => ({ ...result, image, index }));
    found.catch(() => undefined); // reported when its turn comes
    ahead.push(found);
  };
  let [begun, taken] = [0, 0];
  let next: Promise<IteratorResult<ImageSource>> | undefined = pull();
  try {
    while (next !== undefined || ahead.length > 0) {
      const room = next !== undefined && ahead.length < queue.capacity;
      const pulled = room ? await Promise.race([next!, ...ahead.slice(0, 1).map(settled)]) : undefined;
      if (pulled === undefined) {
        const found = await orBroken(ahead.shift()!, taken++, onBroken);
        if (found !== undefined) yield found;
      } else if (pulled.done === true) {
        next = undefined;
      } else {
        begin(pulled.value, begun++);
        next = pull();
      }
    }
  } finally {
    stop.abort();
    next?.catch(() => undefined); // aborted just now
    void source.return?.()?.catch(() => undefined); // a source that still waits for its next image would hold the reader up
  }
}

/** @returns undefined for an image that was told to be broken. */
async function orBroken<Result>(
  found: Promise<Result>,
  index: number,
  onBroken: StreamOptions['onBroken'],
): Promise<Result | undefined> {
  try {
    return await found;
  } catch (error) {
    if (onBroken === undefined || !(error instanceof BrokenImageError)) throw error;
    onBroken(error, index);
    return undefined;
  }
}

/** The results of all images, in their order. */
export function collectImages<Result extends object, const Given extends Images>(
  queue: ImageRunner<Result>,
  images: Given,
  options?: CallOptions,
): Promise<FoundIn<Given, Result>>;
export async function collectImages(
  queue: ImageRunner<object>,
  images: Images,
  options?: CallOptions,
): Promise<unknown> {
  const found: Found<object>[] = [];
  for await (const one of streamImages(queue, images, options)) found.push(one);
  return found;
}

const nameOf = (image: ImageSource, index: number): string => (typeof image === 'string' ? image : `images[${index}]`);

function iteratorOf(images: Images): AsyncIterator<ImageSource> {
  if (Symbol.asyncIterator in images) return images[Symbol.asyncIterator]();
  return (async function* () {
    yield* images;
  })();
}

/** What a promise gives, or the reason of a signal that aborts before. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}

/** Whatever becomes of a promise, for those who only wait. */
const settled = (promise: Promise<unknown>): Promise<undefined> =>
  promise.then(
    () => undefined,
    () => undefined,
  );
