/** `pyramidal-classify export`. */
import { withTrainedNetwork } from '@pyramidal/inference';
import { inferencePass } from '@pyramidal/nn';
import { type ExportCommand, exportNetwork } from '@pyramidal/task';
import type { ClassificationDefinition } from '../definition';
import { onnxClassifier } from '../onnx-task';

/** Writes a trained classifier for PyTorch, as a SavedModel, for browsers, and as an ONNX model. */
export function exportModel(definition: ClassificationDefinition, command: ExportCommand): Promise<number> {
  return withTrainedNetwork(definition, command, async ({ config, data, network, runtime }) => {
    const { size } = config.input;
    await exportNetwork({
      ...{ network, runtime, out: command.out, formats: command.formats },
      outputs: (images) => ({ logits: network.forward(images, inferencePass()) }),
      input: command.input ?? { height: size, width: size },
      onnx: onnxClassifier(network, data.classes),
    });
    return 0;
  });
}
