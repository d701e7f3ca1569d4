import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBackbone } from '@pyramidal/backbones';
import { exportGraphModel } from '@pyramidal/graph';
import { expectClose, fillWithGolden, graphModelFolder, onEngines, openEngine, wavesTensor } from '@pyramidal/testing';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { createDetector, detectorSchema } from './detectors';
import { detectWhole } from './onnx-task';

const SMALL = { channels: [10, 10, 10, 10], depths: [1, 1, 1, 1] } as const;
/** Of TensorFlow.js's own kernels, some of which are approximations; boxes are in pixels. */
const TOLERANCE = { rtol: 1e-3, atol: 1e-3 };
const BOX_TOLERANCE = { rtol: 0, atol: 0.02 };
const DETECTIONS = { count: 12 };
const DETECTORS = [
  { name: 'retinanet', hidden: 16, convs: 1, detections: { perLevel: 40, ...DETECTIONS } },
  { name: 'atss', hidden: 32, convs: 1, detections: { perLevel: 40, ...DETECTIONS } },
  { name: 'sparse-rcnn', proposals: 10, stages: 2, heads: 2, hidden: 16, dynamic: 8, detections: DETECTIONS },
  {
    name: 'mask-rcnn',
    testProposals: { perLevel: 40, count: 30 },
    ...{ boxHidden: 16, maskHidden: 8, maskConvs: 1, detections: DETECTIONS },
  },
];

onEngines(
  'a detector as a graph model',
  () => {
    afterEach(() => openEngine('tensorflow'));

    it.each(DETECTORS)('finds in TensorFlow.js what it finds here: $name', async (settings) => {
      const folder = mkdtempSync(join(tmpdir(), 'graph-model-'));
      const backbone = createBackbone('groupmixformer_miny', SMALL);
      const network = createDetector(detectorSchema.parse(settings), { backbone, neckChannels: 16, classes: 3 });
      fillWithGolden(network);
      const images = wavesTensor<tf.Rank.R4>([1, 64, 96, 3]);
      exportGraphModel(
        (inputs: { images: tf.Tensor4D }) => ({ ...detectWhole(network, inputs.images) }),
        { images },
        folder,
      );
      const expected = tf.tidy(() =>
        Object.entries(detectWhole(network, images)).map(([name, tensor]) => [name, tensor.dataSync()] as const),
      );
      const pixels = images.dataSync();
      tf.dispose(images);
      network.dispose();
      await openEngine('wasm');
      // It warns that nothing in the model needs to be awaited, which suppression does.
      jest.spyOn(console, 'warn').mockImplementation();
      const model = await loadGraphModel(graphModelFolder(folder));
      const seen = tf.tensor(pixels, [1, 64, 96, 3]);
      const found = (await model.executeAsync(
        { images: seen },
        expected.map(([name]) => name),
      )) as tf.Tensor[];
      expect(expected.find(([name]) => name === 'valid')![1].filter(Boolean).length).toBeGreaterThan(3);
      expected.forEach(([name, values], i) =>
        expectClose(found[i]!.dataSync(), values, name === 'boxes' ? BOX_TOLERANCE : TOLERANCE, name),
      );
      tf.dispose([seen, found]);
      model.dispose();
      rmSync(folder, { recursive: true });
    });
  },
  ['tensorflow'],
);
