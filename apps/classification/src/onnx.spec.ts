import { createClassifier } from '@pyramidal/backbones';
import { exportOnnx } from '@pyramidal/task';
import { expectSameInOnnx, fillWithGolden, onEngines } from '@pyramidal/testing';
import { onnxClassifier } from './onnx-task';

const CLASSES = ['cat', 'dog', 'horse'].map((name) => ({ name }));

onEngines(
  'a classifier in ONNX Runtime',
  () => {
    /** One block a stage. */
    it.each(['groupmixformer_miny', 'coat_tiny', 'coat_lite_tiny', 'maformer_small', 'smt_tiny'] as const)(
      'gives the logits that it gives here: %s',
      async (name) => {
        const network = createClassifier(name, CLASSES.length, { depths: [1, 1, 1, 1] });
        fillWithGolden(network, 'damped');
        const task = onnxClassifier(network, CLASSES);
        const { logits } = await expectSameInOnnx(task, (size, file) => exportOnnx(task, size, file), [64, 96]);
        expect(logits!.shape).toEqual([1, CLASSES.length]);
        network.dispose();
      },
    );
  },
  ['tensorflow'],
);
