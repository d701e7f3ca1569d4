/** What `predict` leaves in its folder, whatever the task: `predictions.json`, and a picture of each image. */
import { basename, extname, join } from 'node:path';
import { makeFolder, oneLine } from '@pyramidal/files';
import type { BrokenImageError } from '@pyramidal/images';
import { type ImageRunner, streamImages } from '@pyramidal/inference';
import type { ExitCode } from '@pyramidal/program';
import { JsonList } from './json-list';
import { PacedImages } from './paced';
import { reportBroken } from './report-broken';

/** What was found in one image. */
export interface Prediction {
  /** For `predictions.json`. */
  readonly record: object;
  /** For the user, in a few words. */
  readonly summary: string;
}

/** The results of one `predict`, written as they come. */
export class Predictions {
  /** Images that could not be read, with the reason. */
  readonly broken = new Map<string, string>();

  constructor(
    readonly folder: string,
    private readonly list: JsonList,
  ) {}

  add(image: string, { record, summary }: Prediction): void {
    this.list.add({ image, ...record });
    console.log(oneLine(`${image}: ${summary}`));
  }

  /**
   * Does something with what is found in each image; those that cannot be read are skipped and noted.
   * @param work told what was found, and where the pictures of the image go, without extension.
   */
  async each<Result extends object>(
    queue: ImageRunner<Result>,
    images: readonly string[],
    work: (found: Result, image: string, path: string) => Promise<void>,
  ): Promise<void> {
    const paced = new PacedImages(images);
    const onBroken = ({ image, reason }: BrokenImageError): void => {
      this.broken.set(image, reason);
      paced.finish();
    };
    for await (const found of streamImages(queue, paced, { onBroken })) {
      const image = images[found.index]!;
      await work(found, image, this.pathOf(image, found.index));
      empty(found);
      paced.finish();
    }
  }

  /** Numbered, since images of different folders may share a name. */
  private pathOf(image: string, index: number): string {
    return join(this.folder, `${String(index).padStart(4, '0')}-${basename(image, extname(image))}`);
  }
}

/** A loop holds what it was given last until the next is there: beside the map of a large image there would be the one before it. */
function empty(found: object): void {
  for (const name of Object.keys(found)) Reflect.deleteProperty(found, name);
}

/**
 * Lends the results of a `predict` to what finds them, and ends them: `predictions.json` takes its place also when an error
 * ends the work, with all that was found until then.
 * @returns 1 if an image could not be read.
 */
export async function writePredictions(
  folder: string,
  find: (predictions: Predictions) => Promise<void>,
): Promise<ExitCode> {
  makeFolder(folder);
  const list = new JsonList(join(folder, 'predictions.json'));
  const predictions = new Predictions(folder, list);
  try {
    await find(predictions);
  } catch (error) {
    completeOrDiscard(list);
    throw error;
  }
  list.complete();
  console.log(`results in ${folder}`);
  reportBroken(predictions);
  return predictions.broken.size === 0 ? 0 : 1;
}

/** The error that ended the work is the one to report, not a second one about a disk that is full as well. */
function completeOrDiscard(list: JsonList): void {
  try {
    list.complete();
  } catch {
    list.discard();
  }
}
