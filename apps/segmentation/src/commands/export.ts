/** `pyramidal-segment export`. */
import { withTrainedNetwork } from '@pyramidal/inference';
import { inferencePass } from '@pyramidal/nn';
import { type ExportCommand, exportNetwork } from '@pyramidal/task';
import type { SegmentationDefinition } from '../definition';
import { describeModel } from '../model-classes';
import { onnxSegmentor } from '../onnx-task';
import { servedSegmentor } from '../serving-task';

/** Writes a trained segmentor for PyTorch, as a SavedModel, for browsers, and as an ONNX model. */
export function exportModel(definition: SegmentationDefinition, command: ExportCommand): Promise<number> {
  const reading = { ...command, reader: 'export' as const };
  return withTrainedNetwork(definition, reading, async ({ config, text, metrics, data, network, runtime }) => {
    const { out, formats, input } = command;
    const { crop } = config.input;
    await exportNetwork({
      ...{ network, runtime, out, formats, input },
      card: { ...describeModel(config, data.classes), config: text, metrics },
      outputs: (images) => ({ logits: network.forward(images, inferencePass()) }),
      size: { height: crop, width: crop },
      serving: servedSegmentor(config, network),
      onnx: onnxSegmentor(network, data.classes),
    });
    return 0;
  });
}
