/** `pyramidal-detect export`. */
import { withTrainedNetwork } from '@pyramidal/inference';
import { type ExportCommand, exportNetwork } from '@pyramidal/task';
import { inputSize } from '../assemble';
import type { DetectionDefinition } from '../definition';
import { detectWhole, onnxDetector } from '../onnx-task';

/**
 * Writes a trained detector for PyTorch, as a SavedModel and for browsers: these give `boxes` in pixels of their input,
 * `scores`, `labels`, and `masks`, each over its box; a score of 0 means that a row holds nothing. The ONNX model has no
 * such rows.
 */
export function exportModel(definition: DetectionDefinition, command: ExportCommand): Promise<number> {
  return withTrainedNetwork(definition, command, async ({ config, data, network, runtime }) => {
    await exportNetwork({
      ...{ network, runtime, out: command.out, formats: command.formats },
      outputs: (images) => {
        const { boxes, scores, labels, masks } = detectWhole(network, images);
        return { boxes, scores, labels, ...(masks && { masks }) };
      },
      input: command.input ?? inputSize(config, network),
      onnx: onnxDetector(network, data.classes),
    });
    return 0;
  });
}
