/** `pyramidal-classify serve`. */
import { type Ask, readShare, serveUntilStopped } from '@pyramidal/serving';
import type { ServeCommand } from '@pyramidal/task';
import type { ClassificationDefinition } from '../definition';
import { openClassifierModel } from '../open-classifier';

/** Answers HTTP requests until it is stopped: images in, their likeliest classes out. */
export async function serve(
  definition: ClassificationDefinition,
  { service, ...command }: ServeCommand,
): Promise<number> {
  const { data, queue } = await openClassifierModel(
    definition,
    { ...command, reader: 'serve' },
    { say: console.error },
  );
  const model = {
    task: definition.task,
    classes: data.classes.map(({ name }) => name),
    predict: async (image: Uint8Array, { query, signal }: Ask) => {
      const least = readShare(query, 'score', 0);
      const { classes } = await queue.run(image, 'image', signal);
      return { classes: classes.filter(({ probability }) => probability >= least) };
    },
    close: () => queue.close(),
  };
  return serveUntilStopped(model, service);
}
