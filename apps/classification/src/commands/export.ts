/** `pyramidal-classify export`. */
import { withTrainedNetwork } from '@pyramidal/inference';
import { inferencePass } from '@pyramidal/nn';
import { type ExportCommand, exportNetwork } from '@pyramidal/task';
import type { ClassificationDefinition } from '../definition';
import { describeModel } from '../model-classes';
import { onnxClassifier } from '../onnx-task';
import { servedClassifier } from '../serving-task';

/** Writes a trained classifier for PyTorch, as a SavedModel, for browsers, and as an ONNX model. */
export function exportModel(definition: ClassificationDefinition, command: ExportCommand): Promise<number> {
  const reading = { ...command, reader: 'export' as const };
  return withTrainedNetwork(definition, reading, async ({ config, text, metrics, data, network, runtime }) => {
    const { out, formats, input } = command;
    const { size } = config.input;
    await exportNetwork({
      ...{ network, runtime, out, formats, input },
      card: { ...describeModel(config, data.classes), config: text, metrics },
      outputs: (images) => ({ logits: network.forward(images, inferencePass()) }),
      size: { height: size, width: size },
      serving: servedClassifier(config, network),
      onnx: onnxClassifier(network, data.classes),
    });
    return 0;
  });
}
