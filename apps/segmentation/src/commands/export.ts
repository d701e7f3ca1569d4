/** `pyramidal-segment export`. */
import { withTrainedNetwork } from '@pyramidal/inference';
import { inferencePass } from '@pyramidal/nn';
import { type ExportCommand, exportNetwork } from '@pyramidal/task';
import type { SegmentationDefinition } from '../definition';
import { onnxSegmentor } from '../onnx-task';

/** Writes a trained segmentor for PyTorch, as a SavedModel, for browsers, and as an ONNX model. */
export function exportModel(definition: SegmentationDefinition, command: ExportCommand): Promise<number> {
  return withTrainedNetwork(definition, command, async ({ config, data, network, runtime }) => {
    const { crop } = config.input;
    await exportNetwork({
      ...{ network, runtime, out: command.out, formats: command.formats },
      outputs: (images) => ({ logits: network.forward(images, inferencePass()) }),
      input: command.input ?? { height: crop, width: crop },
      onnx: onnxSegmentor(network, data.classes),
    });
    return 0;
  });
}
