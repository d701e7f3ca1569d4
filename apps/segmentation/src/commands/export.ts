import { classesOf } from '@pyramidal/ade20k';
import { type ExportCommand, exportNetwork } from '@pyramidal/task';
import { loadConfig } from '@pyramidal/config';
import { inferencePass } from '@pyramidal/nn';
import { openRuntime } from '@pyramidal/runtime';
import { loadWeightsFile } from '@pyramidal/training';
import type { SegmentationDefinition } from '../definition';

/** Writes a trained segmentor for PyTorch, as a SavedModel, and for browsers. */
export async function exportModel(
  { schema, assemble }: SegmentationDefinition,
  { config: file, set, weights, input, out }: ExportCommand,
): Promise<number> {
  const { config } = loadConfig(schema, file, { set });
  const classes = await classesOf(config.data.root, config.data.classList);
  const runtime = await openRuntime(config.runtime);
  const network = assemble(config, classes.length);
  loadWeightsFile(weights, network, { ema: config.evaluation.ema });
  const { crop } = config.input;
  await exportNetwork({
    network,
    outputs: (images) => ({ logits: network.forward(images, inferencePass()) }),
    input: input ?? { height: crop, width: crop },
    inBrowsers: true,
    ...{ runtime, out },
  });
  network.dispose();
  return 0;
}
