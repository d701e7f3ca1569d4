import { createBackbone } from '@pyramidal/backbones';
import { exportOnnx } from '@pyramidal/task';
import { expectSameInOnnx, fillWithGolden, onEngines } from '@pyramidal/testing';
import { createDetector, detectorSchema } from './detectors';
import { onnxDetector } from './onnx-task';

const CLASSES = ['cat', 'dog', 'horse'].map((name) => ({ name }));
const TWO_STAGES = { testProposals: { perLevel: 40, count: 30 }, boxHidden: 16, detections: { count: 12 } };
const MASKS = { maskHidden: 8, maskConvs: 1 };
const TRANSFORMER = { queries: 10, encoderLayers: 1, decoderLayers: 2, heads: 2, points: 2, feedForward: 32 };
const DETECTORS = [
  { name: 'retinanet', hidden: 16, convs: 1, detections: { perLevel: 40, count: 12 } },
  { name: 'atss', hidden: 32, convs: 1, detections: { perLevel: 40, count: 12 } },
  { name: 'sparse-rcnn', proposals: 10, stages: 2, heads: 2, hidden: 16, dynamic: 8, detections: { count: 12 } },
  { name: 'deformable-detr', ...TRANSFORMER, detections: { count: 12 } },
  { name: 'dino', ...TRANSFORMER, detections: { count: 12 } },
  { name: 'faster-rcnn', ...TWO_STAGES },
  { name: 'mask-rcnn', ...TWO_STAGES, ...MASKS },
  { name: 'cascade-rcnn', ...TWO_STAGES },
  { name: 'cascade-mask-rcnn', ...TWO_STAGES, ...MASKS },
];
const SMALL = { channels: [10, 10, 10, 10], depths: [1, 1, 1, 1] } as const;

onEngines(
  'a detector in ONNX Runtime',
  () => {
    it.each(DETECTORS)('finds what it finds here: $name', async (settings) => {
      const backbone = createBackbone('groupmixformer_miny', SMALL);
      const parts = { backbone, neckChannels: 32, classes: CLASSES.length };
      const network = createDetector(detectorSchema.parse(settings), parts);
      fillWithGolden(network);
      const task = onnxDetector(network, CLASSES);
      const found = await expectSameInOnnx(task, (size, file) => exportOnnx(task, size, file), [96, 128], {
        rtol: 1e-4,
        atol: 1e-3,
      });
      expect(found['boxes']!.shape).toEqual([found['scores']!.values.length, 4]);
      expect(found['scores']!.values.length).toBeGreaterThan(3);
      network.dispose();
    });
  },
  ['tensorflow'],
);
