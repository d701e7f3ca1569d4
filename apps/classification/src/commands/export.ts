import { type ExportCommand, exportNetwork } from '@pyramidal/task';
import { loadConfig } from '@pyramidal/config';
import { openImageFolder } from '@pyramidal/imagenet';
import { inferencePass } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { loadWeightsFile } from '@pyramidal/training';
import type { ClassificationDefinition } from '../definition';

/** Writes a trained classifier for PyTorch, as a SavedModel, and for browsers. */
export async function exportModel(
  { schema, assemble }: ClassificationDefinition,
  { config: file, set, weights, input, out }: ExportCommand,
): Promise<number> {
  const { config } = loadConfig(schema, file, { set });
  const { root, val, classIndex } = config.data;
  const { classes } = await openImageFolder(root, {
    splits: [val],
    ...(classIndex === undefined ? {} : { classIndex }),
  });
  const runtime = await openRuntime(config.runtime);
  const network = assemble(config, classes.length);
  loadWeightsFile(weights, network, { ema: config.evaluation.ema });
  const { size } = config.input;
  await exportNetwork({
    network,
    outputs: (images) => ({ logits: network.forward(images, inferencePass()) }),
    input: input ?? { height: size, width: size },
    inBrowsers: true,
    ...{ runtime, out },
  });
  network.dispose();
  return 0;
}
