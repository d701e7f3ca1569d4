/** A trained model of any task as a library: images in, what it finds in them out. */
import type { ImageQueue } from './image-queue';
import {
  type CallOptions,
  collectImages,
  type Found,
  type FoundIn,
  type Images,
  streamImages,
  type StreamOptions,
} from './image-stream';

/** A model that takes images until it is closed, of any number of callers at a time. A task gives `find` the name of what it does. */
export abstract class TrainedModel<Class, Result extends object> {
  constructor(
    /** By label. */
    readonly classes: readonly Class[],
    private readonly queue: ImageQueue<unknown, Result>,
  ) {}

  /** The results, image by image in their order; only a few images are in memory at the same time. */
  stream(images: Images, options?: StreamOptions): AsyncGenerator<Found<Result>, void, void> {
    return streamImages(this.queue, images, options);
  }

  /** Finishes what it was asked for, and frees network, graphs and threads. */
  close(): Promise<void> {
    return this.queue.close();
  }

  /**
   * What it finds in each image: a path, a file's bytes, or pixels.
   * @throws BrokenImageError naming the first image that cannot be read; ClosedError; the signal's reason.
   */
  protected find<const Given extends Images>(images: Given, options?: CallOptions): Promise<FoundIn<Given, Result>> {
    return collectImages(this.queue, images, options);
  }
}
