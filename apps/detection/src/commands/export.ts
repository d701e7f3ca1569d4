/** `pyramidal-detect export`. */
import { withTrainedNetwork } from '@pyramidal/inference';
import { type ExportCommand, exportNetwork } from '@pyramidal/task';
import { inputSize } from '../assemble';
import type { DetectionDefinition } from '../definition';
import { describeModel } from '../model-classes';
import { detectWhole, onnxDetector } from '../onnx-task';
import { servedDetector } from '../serving-task';

/**
 * Writes a trained detector for PyTorch, as a SavedModel, for browsers, and as an ONNX model. For browsers it gives `boxes`
 * in pixels of its input, `scores`, `labels`, and `masks`, each over its box; a score of 0 means that a row holds nothing.
 */
export function exportModel(definition: DetectionDefinition, command: ExportCommand): Promise<number> {
  const reading = { ...command, reader: 'export' as const };
  return withTrainedNetwork(definition, reading, async ({ config, text, metrics, data, network, runtime }) => {
    const { out, formats, input } = command;
    await exportNetwork({
      ...{ network, runtime, out, formats, input },
      card: { ...describeModel(config, data.classes), config: text, metrics },
      outputs: (images) => {
        const { boxes, scores, labels, masks } = detectWhole(network, images);
        return { boxes, scores, labels, ...(masks && { masks }) };
      },
      size: inputSize(config, network),
      serving: servedDetector(config, network),
      onnx: onnxDetector(network, data.classes),
    });
    return 0;
  });
}
