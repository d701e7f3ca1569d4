import { createBackbone } from '@pyramidal/backbones';
import { exportOnnx } from '@pyramidal/task';
import { expectSameInOnnx, fillWithGolden, onEngines } from '@pyramidal/testing';
import { createSegmentor, headSchema } from './heads';
import { onnxSegmentor } from './onnx-task';

const CLASSES = ['sky', 'sea', 'sand'].map((name) => ({ name }));
const HEADS = [
  { name: 'upernet', channels: 16, auxiliaryChannels: 16 },
  { name: 'semantic-fpn', channels: 16 },
];

onEngines(
  'a segmentor in ONNX Runtime',
  () => {
    it.each(HEADS)('gives the map and the logits that it gives here: $name', async (head) => {
      const backbone = createBackbone('smt_tiny', { depths: [1, 1, 1, 1] });
      const network = createSegmentor(headSchema.parse(head), { backbone, classes: CLASSES.length });
      fillWithGolden(network);
      const task = onnxSegmentor(network, CLASSES);
      const { labels, logits } = await expectSameInOnnx(task, (size, file) => exportOnnx(task, size, file), [64, 72]);
      expect(labels!.shape).toEqual([1, 64, 72]);
      expect(new Set(Array.from(labels!.values)).size).toBeGreaterThan(1);
      expect(logits!.shape).toEqual([1, CLASSES.length, 16, 18]);
      network.dispose();
    });
  },
  ['tensorflow'],
);
