/** A detector behind HTTP: `npm start config.yaml best.safetensors 8080`, then `curl --data-binary @photo.jpg localhost:8080`. */
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import type { Detector } from '@pyramidal/boxes';
import { type DetectionClass, readDetectionClasses } from '@pyramidal/coco';
import { UsageError } from '@pyramidal/config';
import { assembleDetector, type DetectionConfig, detectionSchema } from '@pyramidal/detection';
import { BrokenImageError, decodeImage, IMAGENET_NORMALISATION, imagesToTensor } from '@pyramidal/images';
import { keepRatioSize, resizeImage, type RgbImage } from '@pyramidal/images';
import { inferencePass } from '@pyramidal/nn';
import { runProgram, withTrainedNetwork } from '@pyramidal/task';
import * as tf from '@tensorflow/tfjs-core';

const LARGEST_BODY = 32 << 20; // bytes

const task = {
  schema: detectionSchema,
  open: async ({ data }: DetectionConfig) => ({
    classes: await readDetectionClasses(data.categories ?? join(data.root, data.train.annotations)),
  }),
  assemble: (config: DetectionConfig, classes: number) => assembleDetector(config, classes),
};

runProgram('detect-server', ([config, weights, port = '8080']) => {
  if (config === undefined || weights === undefined) throw new UsageError('usage: npm start CONFIG WEIGHTS [PORT]');
  return withTrainedNetwork(task, { config, weights, set: [] }, async ({ config, data, network }) => {
    const server = createServer((request, response) => {
      const reply = (status: number, body: unknown) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
      bodyOf(request)
        .then(decodeImage)
        .then((image) => detect(network, image, config, data.classes))
        .then((detections) => reply(200, detections))
        .catch((error: Error) => reply(error instanceof BrokenImageError ? 400 : 500, { error: error.message }));
    });
    server.listen(Number(port), () => console.log(`listening on port ${port}`));
    await new Promise((stop) => process.once('SIGINT', stop).once('SIGTERM', stop));
    await new Promise((closed) => server.close(closed)); // open requests are answered first
    return 0;
  });
});

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > LARGEST_BODY) throw new BrokenImageError('request', `more than ${LARGEST_BODY} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** What is found in a picture: class, score, and box in its pixels, best first. */
async function detect(network: Detector, image: RgbImage, config: DetectionConfig, classes: readonly DetectionClass[]) {
  const found = tf.tidy(() => {
    const size = keepRatioSize(image, config.input);
    const { stride } = network.backbone.levels.C5;
    const padded = (side: number): number => stride * Math.ceil(side / stride);
    const canvas = { width: padded(size.width), height: padded(size.height) };
    const resized = resizeImage(image, { ...size, convention: 'opencv-bilinear' });
    const images = imagesToTensor([resized], IMAGENET_NORMALISATION, canvas);
    const sizes = tf.tensor2d([[size.height, size.width]]);
    const scales = tf.tensor2d([[size.height / image.height, size.width / image.width]]);
    return network.predict({ images, sizes }, scales, inferencePass())[0]!;
  });
  const { boxes, scores, labels, valid } = found;
  const [box, score, label, count] = await Promise.all([
    boxes.array(),
    scores.array(),
    labels.array(),
    tf.sum(valid).data(),
  ]);
  tf.dispose({ ...found });
  return box
    .slice(0, count[0])
    .map((corners, i) => ({ name: classes[label[i]!]!.name, score: score[i], box: corners }));
}
