/** `pyramidal-classify export`. */
import { inferencePass } from '@pyramidal/nn';
import { type ExportCommand, exportNetwork, withTrainedNetwork } from '@pyramidal/task';
import type { ClassificationDefinition } from '../definition';

/** Writes a trained classifier for PyTorch, as a SavedModel, and for browsers. */
export function exportModel(definition: ClassificationDefinition, command: ExportCommand): Promise<number> {
  return withTrainedNetwork(definition, command, async ({ config, network, runtime }) => {
    const { size } = config.input;
    await exportNetwork({
      ...{ network, runtime, out: command.out },
      outputs: (images) => ({ logits: network.forward(images, inferencePass()) }),
      input: command.input ?? { height: size, width: size },
      inBrowsers: true,
    });
    return 0;
  });
}
