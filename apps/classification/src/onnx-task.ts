/** A classifier as an ONNX model. */
import { IMAGENET_NORMALISATION } from '@pyramidal/images';
import { type Classifier, inferencePass } from '@pyramidal/nn';
import type { OnnxTask } from '@pyramidal/task';

/** The model gives `logits`, float32 [1, classes]. */
export function onnxClassifier(network: Classifier, classes: OnnxTask['classes']): OnnxTask {
  return {
    task: 'classification',
    outputs: (images) => ({ logits: network.forward(images, inferencePass()) }),
    classes,
    normalisation: IMAGENET_NORMALISATION,
  };
}
